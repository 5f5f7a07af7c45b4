-- sums(from, to, words, filters, zone, tag name, sums) → sums of a period, one row per group; app.usage, app.spend_cells and others read them
--
-- With the caller's own rights, so row level security decides. p_from inclusive, p_to exclusive. p_words: what to group by: one of
-- hour, day, week, week_of_month, month, those of the calendar of p_zone (see app.bars), and any of project, key, model, endpoint, service_tier,
-- status, end_user, tag, person (who made the key), kind. bar: when the hour, day, … begins; day: its date in p_zone. p_filters: see
-- app.filter_sql. A call with several tags counts in the row of each, a call without in the row without a tag; with
-- p_tag_name, tag is the value of that tag alone, so that each call counts once. kind groups nothing: with it, the columns from
-- cost_input on say what cost was paid for (see app.cost_kinds); without it they are null. calls groups nothing either, see
-- app.sums_source. p_sums: the sums that are needed, among them calls; the others are 0 then. Null: all of them.
--
-- Ten million calls take no longer than ten thousand: whole days (UTC) are read from daily totals and daily labels, hours at the
-- edges of a period and of days of other zones from hourly ones. The calls themselves are added up only for parts of hours, and
-- for questions that labels cannot answer, such as the models that one end user called (see app.sums_source).
create or replace function app.sums(
    p_from timestamptz, p_to timestamptz, p_words text[], p_filters jsonb, p_zone text, p_tag_name text, p_sums text[]
) returns table (
    bar timestamptz, day date, project_id uuid, key_id uuid, model text, endpoint text, service_tier text, status integer,
    end_user text, tag text, person_id uuid,
    calls bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric,
    unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint,
    adjustments numeric, cost_corrected numeric,
    cost_input numeric, cost_cached numeric, cost_cache_write numeric, cost_output numeric, cost_reasoning numeric, cost_audio numeric,
    cost_image numeric, cost_tools numeric, cost_region numeric
)
language plpgsql stable
set search_path = ''
set timezone = 'UTC'  -- in a session's own time zone, adding a day may add 23 hours
set enable_sort = off  -- the planner expects few rows; sorting all of them to group them takes longer than hashing
set work_mem = '16MB'  -- groups of thousands of keys or end users a day: not to be written to disk
as $$
declare
    v_sources text[] := app.sums_source(p_words, p_filters);  -- null: the calls have to be read
    v_grain text := (select w.word from unnest(p_words) w (word) where w.word in ('hour', 'day', 'week', 'week_of_month', 'month') limit 1);
    -- A day more at both ends, since where hours are not known whole days of UTC are read.
    v_corrected boolean := exists (select from public.cost_adjustments a where a.org_id = (select app.current_org_id())
        and (a.at >= p_from - interval '1 day' and a.at < p_to + interval '1 day'
            or a.call_started_at >= p_from - interval '1 day' and a.call_started_at < p_to + interval '1 day'));
    v_kinds text[] := '{cost_input,cost_cached,cost_cache_write,cost_output,cost_reasoning,cost_audio,cost_image,cost_tools,cost_region}';
    v_all text[] := '{calls,tokens_in,tokens_cached,tokens_out,cost,unpriced_calls,no_usage_calls,in_doubt_calls,error_calls}';
    v_names text[] := coalesce(p_sums, v_all) || case when v_corrected then '{adjustments,cost_corrected}' else '{}'::text[] end
        || case when 'kind' = any (p_words) then v_kinds else '{}' end;
    v_bars timestamptz[] := '{}';
    v_parts text[];
    -- Labels that are added and, with the same filters, taken away from all calls are read once. By hour or day there are nearly as
    -- many groups as rows: then reading twice takes less time.
    v_once boolean := coalesce(v_grain, 'month') in ('week', 'week_of_month', 'month') and (
        v_sources @> '{-end_user}' and not p_filters ?| '{end_user,not_end_user}' or v_sources @> '{-tag}' and p_tag_name is not null);
    v_labels text;
    v_columns text := 'bar, project_id, api_key_id, model, endpoint, service_tier, status_code, end_user, tag';  -- of app.sums_entries, before the sums
    v_keys text;
    v_groups text;
begin
    if v_grain is not null then
        select app.bars(greatest(p_from, s.first), least(p_to, s.until), p_zone, v_grain) into v_bars from app.sums_span() s;
    end if;
    select array_agg(e.text) filter (where not e.once), string_agg(e.text, ' union all ') filter (where e.once and e.source not like '-%')
    into v_parts, v_labels
    from app.sums_pieces(p_from, p_to, p_zone, v_grain, v_bars, v_sources is not null) p
    cross join unnest(case when p.unit = 'call' then array['all'] else v_sources end) s (source)
    cross join lateral (select s.source, v_once and s.source <> 'all' as once, app.sums_entries(s.source, p.unit, p.since, p.until, p.moved,
        p.noon, p_words, p_tag_name is not null, v_names, p_filters, v_corrected, v_bars) as text) e;
    if v_parts is null then
        return;
    end if;
    -- Grouping and adding up take most of the time: the query has only the columns that are asked for.
    select string_agg(case when k.word = any (p_words) then k.name else 'null::' || k.type end, ', ' order by k.place),
        string_agg(', ' || k.name, '' order by k.place) filter (where k.word = any (p_words))
    into v_keys, v_groups
    from (values (1, 'project', 'e.project_id', 'uuid'), (2, 'key', 'e.api_key_id', 'uuid'), (3, 'model', 'e.model', 'text'),
        (4, 'endpoint', 'e.endpoint', 'text'), (5, 'service_tier', 'e.service_tier', 'text'), (6, 'status', 'e.status_code', 'integer'),
        (7, 'end_user', 'e.end_user', 'text'), (8, 'tag', 'e.tag', 'text'), (9, 'person', 'k.created_by', 'uuid')) k (place, word, name, type);
    if v_labels is not null then
        v_parts := v_parts || array['select * from labels', format('select bar, project_id, api_key_id, null, null, null, null, null, null, %s from labels',
            (select string_agg('-' || n.name, ', ' order by n.place) from unnest(v_names) with ordinality n (name, place)))];
        select format($sql$ with labels as materialized (
                select e.bar, %s, null as model, null as endpoint, null as service_tier, null::integer as status_code, e.end_user, e.tag, %s
                from (%s) e (%s, %s) group by e.bar, e.end_user, e.tag%s) $sql$,
            case when 'project' = any (p_words) then 'e.project_id' else 'null::uuid as project_id' end
                || case when p_words && '{key,person}' then ', e.api_key_id' else ', null::uuid as api_key_id' end,
            string_agg(format(case when n.name like '%cost%' or n.name = 'adjustments' then 'sum(e.%1$I) as %1$I'
                else 'sum(e.%1$I)::bigint as %1$I' end, n.name), ', ' order by n.place),
            v_labels, v_columns, string_agg(n.name, ', ' order by n.place),
            concat(case when 'project' = any (p_words) then ', e.project_id' end, case when p_words && '{key,person}' then ', e.api_key_id' end))
        into v_labels
        from unnest(v_names) with ordinality n (name, place);
    end if;
    return query execute format($sql$
        %s
        select $3[e.bar], ($3[e.bar] at time zone $5)::date, %s, %s, %s, %s
        from (%s) e (%s, %s) %s
        group by e.bar%s
        having sum(e.calls) <> 0 %s
    $sql$, v_labels, v_keys,
        (select string_agg(case when n.name <> all (v_names) then '0::' when n.name = 'cost' then 'coalesce(sum(e.cost), 0)::'
            else format('coalesce(sum(e.%I), 0)::', n.name) end || case n.name when 'cost' then 'numeric' else 'bigint' end, ', ' order by n.place)
         from unnest(v_all) with ordinality n (name, place)),
        case when v_corrected then 'coalesce(sum(e.adjustments), 0), coalesce(sum(e.cost_corrected), 0)'
            when 'cost' = any (v_names) then '0::numeric, coalesce(sum(e.cost), 0)' else '0::numeric, 0::numeric' end,
        (select string_agg(case when n.name = any (v_names) then format('coalesce(sum(e.%I), 0)', n.name) else 'null::numeric' end, ', '
            order by n.place) from unnest(v_kinds) with ordinality n (name, place)),
        array_to_string(v_parts, ' union all '), v_columns, array_to_string(v_names, ', '),
        case when 'person' = any (p_words) then 'left join public.api_keys k on k.id = e.api_key_id' end, v_groups,
        case when v_corrected then 'or sum(e.adjustments) <> 0' end)
    using p_filters, p_words, v_bars, p_tag_name, p_zone;
end $$;

comment on function app.sums is
    'Sums of a period by hour, day, week or month, project, key, model, endpoint, service_tier, status, end_user, tag or person.';
revoke execute on function app.sums from public, anon, authenticated, service_role;
grant execute on function app.sums to authenticated;
