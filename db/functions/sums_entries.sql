-- sums_entries(source, unit, since, until, moved, noon, words, named, names, filters, corrected, bars) → the text of a query for rows that app.sums adds up
--
-- p_source: which calls the rows are of.
--   all: every call
--   end_user, tag: calls with such a label, a row for each tag
--   -end_user, -tag: calls with such a label, each once, as negative numbers: added to `all` they leave the calls without one. So in
--     both, filters by label are left out.
-- p_unit, p_since, p_until, p_moved: what they are read from, as app.sums_pieces says it. p_noon: the zone whose noon of a day says in
-- which bar (of those that begin at p_bars) the day counts; looked up in a list with a place for each day, which takes less time for
-- each row than comparing moments. Calls have every label, so for them p_source makes no difference.
-- p_named: tags of one name are asked for, that in $4; each call has one of them at most.
-- p_names: the columns that are added up.
-- p_corrected: with corrections of the calls. Such a query takes several times as long to plan: only where there are any.
--
-- In the text $1 stands for the filters (see app.filter_sql), $2 for the words that are asked for, $3 for the moments at which bars
-- begin and $4 for the name of the tag. Its columns, in order: bar (a place in $3), project_id,
-- api_key_id, model, endpoint, service_tier, status_code, end_user, tag, and those of p_names.
create or replace function app.sums_entries(
    p_source text, p_unit text, p_since timestamptz[], p_until timestamptz[], p_moved tstzrange, p_noon text,
    p_words text[], p_named boolean, p_names text[], p_filters jsonb, p_corrected boolean, p_bars timestamptz[]
) returns text
language plpgsql stable
set search_path = ''
set timezone = 'UTC'
as $$
declare
    v_labelled boolean := p_unit <> 'call' and p_source <> 'all';
    v_kind text := case when p_source = '-tag' and not p_named then 'tagged' else ltrim(p_source, '-') end;
    v_moves boolean := p_unit <> 'day' and p_words && '{hour,day,week,week_of_month,month}' and not isempty(p_moved);
    v_sign text := case when v_moves then 'm.sign * ' else '' end;
    -- Where the rows are: a moment of each, and the condition that chooses them.
    v_at text := case p_unit when 'hour' then 'e.hour' else 'e.at' end;
    v_first date := greatest(p_since[1], p_bars[1])::date;  -- of the list of days
    v_where text := case
        when p_unit = 'day' then format('e.day >= %L and e.day < %L', p_since[1]::date, p_until[1]::date)
        when p_unit = 'hour' then format('e.hour = any (%L::timestamptz[])', p_since)
        else format('e.at >= %L and e.at < %L', p_since[1], p_until[array_upper(p_until, 1)]) end;
    v_calls text := case when p_corrected then 'public.bookings' else 'public.booked_calls' end;
begin
    if 'kind' = any (p_words) then
        v_calls := format($sql$ (
            select b.*, k.* from %s b
            left join public.usage_logs u on u.id = b.call_id and u.started_at = b.call_started_at and b.calls = 1
            cross join lateral app.cost_kinds(u.cost, u.cost_lines, u.tokens_reasoning) k) $sql$, v_calls);
    end if;
    if cardinality(p_since) > 1 then  -- offset 0: so that Postgres looks up each of these short times by the index
        v_calls := format($sql$ (
            select c.* from %s c where c.org_id = (select app.current_org_id()) and c.at >= r.since and c.at < r.until offset 0) $sql$, v_calls);
    end if;
    return format($sql$
        select m.bar, e.project_id, e.api_key_id, %s, %s, %s from %s cross join lateral (%s) m
        where e.org_id = (select app.current_org_id()) and %s%s %s
    $sql$,
    case when v_labelled then 'null, null, null, null::integer' else 'e.model, e.endpoint, e.service_tier, e.status_code' end,
    case when p_unit = 'call' then 'e.end_user, t.tag'
        when p_source = 'end_user' then 'e.label, null'
        when p_source = 'tag' then 'null, ' || case when p_named then 'substr(e.label, length($4) + 2)' else 'e.label' end
        else 'null, null' end,
    (select string_agg(case when p_source like '-%' then '-' else '' end || v_sign || 'e.' || n.name, ', ' order by n.place)
     from unnest(p_names) with ordinality n (name, place)),
    case
        when p_unit <> 'call' then format('public.%s%s_entries e', case p_unit when 'day' then 'daily' else 'hourly' end,
            case when v_labelled then '_label' else '' end)
        else case when cardinality(p_since) > 1 then format('unnest(%L::timestamptz[], %L::timestamptz[]) r (since, until) cross join lateral ',
                p_since, p_until) else '' end || v_calls || ' e'
            || case when not 'tag' = any (p_words) then ' cross join (select null::text as tag) t'
                when p_named then ' cross join lateral (select e.tags ->> $4 as tag) t'
                else $sql$ left join lateral (select x.key || '=' || x.value as tag from jsonb_each_text(e.tags) x) t on true $sql$ end end,
    case when not p_words && '{hour,day,week,week_of_month,month}' then 'select null::integer as bar'
        when p_unit = 'day' then format('select (%L::integer[])[e.day - %L::date + 1] as bar', array(
            select width_bucket((v_first + n + time '12:00') at time zone p_noon, p_bars)
            from generate_series(0, least(p_until[1], p_bars[array_upper(p_bars, 1)])::date - v_first) n order by n), v_first)
        when not v_moves then format('select width_bucket(%s, $3) as bar', v_at)
        else format('select width_bucket(%s, $3) as bar, 1 as sign union all '
            || 'select width_bucket(date_trunc(''day'', %s, ''UTC'') + interval ''12 hours'', $3), -1 where %s >= %L and %s < %L',
            v_at, v_at, v_at, lower(p_moved), v_at, upper(p_moved)) end,
    v_where,
    case when v_labelled then format(' and e.kind = %L', v_kind) else '' end
        || case when v_labelled and v_kind = 'tag' and p_named then $sql$ and starts_with(e.label, $4 || '=') $sql$ else '' end,
    app.filter_sql(case when p_unit = 'call' or p_source in ('end_user', 'tag') then p_filters
        else p_filters - '{end_user,not_end_user,tag}'::text[] end, v_labelled));
end $$;

comment on function app.sums_entries is
    'Text of a query for calls, totals or labels that app.sums adds up.';
-- Part of app.sums, which runs with the rights of its caller.
revoke execute on function app.sums_entries from public, anon, authenticated, service_role;
grant execute on function app.sums_entries to authenticated;
