-- sums(from, to, words, filters, zone, tag name) → sums of a period, one row per group; app.usage, app.spend_cells and others read them
--
-- With the caller's own rights, so row level security decides. p_from inclusive, p_to exclusive. p_words: what to group by: one of
-- hour, day, week, month, those of the calendar of p_zone (see app.bars), and any of project, key, model, endpoint, service_tier,
-- status, end_user, tag, person (who made the key), kind. bar: when the hour, day, … begins; day: its date in p_zone. p_filters: see
-- app.filter_sql. A call with several tags counts in the row of each, a call without in the row without a tag; with
-- p_tag_name, tag is the value of that tag alone, so that each call counts once. kind groups nothing: with it, the columns from
-- cost_input on say what cost was paid for (see app.cost_kinds); without it they are null.
--
-- Ten million calls take no longer than ten thousand: whole days (UTC) are read from daily totals and daily labels, hours at the
-- edges of a period and of days of other zones from hourly ones. The calls themselves are added up only for parts of hours, and
-- for questions that labels cannot answer, such as the models that one end user called (see app.sums_source).
create or replace function app.sums(
    p_from timestamptz, p_to timestamptz, p_words text[], p_filters jsonb, p_zone text, p_tag_name text
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
as $$
declare
    v_sources text[] := app.sums_source(p_words, p_filters);  -- null: the calls have to be read
    v_grain text := (select w.word from unnest(p_words) w (word) where w.word in ('hour', 'day', 'week', 'month') limit 1);
    v_corrected boolean := exists (select from public.cost_adjustments a where a.org_id = (select app.current_org_id())
        and (a.at >= p_from and a.at < p_to or a.call_started_at >= p_from and a.call_started_at < p_to));
    v_bars timestamptz[] := '{}';
    v_parts text[];
    v_kinds text[] := '{cost_input,cost_cached,cost_cache_write,cost_output,cost_reasoning,cost_audio,cost_image,cost_tools,cost_region}';
    v_names text[] := string_to_array('calls tokens_in tokens_cached tokens_out cost unpriced_calls no_usage_calls in_doubt_calls '
        || 'error_calls adjustments cost_corrected', ' ');
begin
    if 'kind' = any (p_words) then
        v_names := v_names || v_kinds;
    end if;
    if v_grain is not null then
        select app.bars(greatest(p_from, s.first), least(p_to, s.until), p_zone, v_grain) into v_bars from app.sums_span() s;
    end if;
    select array_agg(app.sums_entries(s.source, p.unit, p.since, p.until, p.moved, p.noon, p_words, p_tag_name is not null,
        v_names, p_filters, v_corrected)) into v_parts
    from app.sums_pieces(p_from, p_to, p_zone, v_grain, v_bars, v_sources is not null) p
    cross join unnest(case when p.unit = 'call' then array['all'] else v_sources end) s (source);
    if v_parts is null then
        return;
    end if;
    return query execute format($sql$
        select $3[e.bar], ($3[e.bar] at time zone $5)::date,
            case when 'project' = any ($2) then e.project_id end,
            case when 'key' = any ($2) then e.api_key_id end,
            case when 'model' = any ($2) then e.model end,
            case when 'endpoint' = any ($2) then e.endpoint end,
            case when 'service_tier' = any ($2) then e.service_tier end,
            case when 'status' = any ($2) then e.status_code end,
            case when 'end_user' = any ($2) then e.end_user end,
            case when 'tag' = any ($2) then e.tag end,
            %s,
            sum(e.calls)::bigint, coalesce(sum(e.tokens_in), 0)::bigint, coalesce(sum(e.tokens_cached), 0)::bigint,
            coalesce(sum(e.tokens_out), 0)::bigint, coalesce(sum(e.cost), 0), coalesce(sum(e.unpriced_calls), 0)::bigint,
            coalesce(sum(e.no_usage_calls), 0)::bigint, coalesce(sum(e.in_doubt_calls), 0)::bigint,
            coalesce(sum(e.error_calls), 0)::bigint, coalesce(sum(e.adjustments), 0), coalesce(sum(e.cost_corrected), 0), %s
        from (%s) e (bar, project_id, api_key_id, model, endpoint, service_tier, status_code, end_user, tag, %s) %s
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
        having sum(e.calls) <> 0 or sum(e.adjustments) <> 0
    $sql$, case when 'person' = any (p_words) then 'k.created_by' else 'null::uuid' end,
        (select string_agg(case when 'kind' = any (p_words) then format('coalesce(sum(e.%I), 0)', n.name) else 'null::numeric' end, ', '
            order by n.place) from unnest(v_kinds) with ordinality n (name, place)),
        array_to_string(v_parts, ' union all '), array_to_string(v_names, ', '),
        case when 'person' = any (p_words) then 'left join public.api_keys k on k.id = e.api_key_id' end)
    using p_filters, p_words, v_bars, p_tag_name, p_zone;
end $$;

comment on function app.sums is
    'Sums of a period by hour, day, week or month, project, key, model, endpoint, service_tier, status, end_user, tag or person.';
revoke execute on function app.sums from public, anon, authenticated, service_role;
grant execute on function app.sums to authenticated;
