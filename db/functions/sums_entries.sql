-- sums_entries(source, from, to, filters, corrected) → the text of a query for rows that app.sums adds up
--
-- p_source: where the rows come from.
--   calls: the calls themselves, from p_from to p_to; where tags are asked for, a call has a row for each of its tags
--   all: daily totals; here and below p_from and p_to are midnights (UTC)
--   end_user, tag: daily labels of that kind
--   -end_user, -tag: calls with such a label, each once, as negative numbers: added to `all` they leave the calls without one
-- p_corrected: with corrections of the calls. Such a query takes several times as long to plan: only where there are any.
--
-- In the text $1 stands for the filters (see app.filter_sql) and $2 for the words that are asked for. Its columns, in order:
-- day, project_id, api_key_id, model, endpoint, service_tier, status_code, end_user, tag, and the sums from calls to
-- cost_corrected as app.sums returns them.
create or replace function app.sums_entries(
    p_source text, p_from timestamptz, p_to timestamptz, p_filters jsonb, p_corrected boolean
) returns text
language plpgsql stable
set search_path = ''
as $$
declare
    v_filters text := app.filter_sql(p_filters, p_source not in ('calls', 'all'));
    v_first date := (p_from at time zone 'utc')::date;
    v_end date := (p_to at time zone 'utc')::date;
begin
    if p_source = 'calls' then
        return format($sql$
            select (e.at at time zone 'utc')::date, e.project_id, e.api_key_id, e.model, e.endpoint, e.service_tier, e.status_code,
                e.end_user, t.tag, e.calls, e.tokens_in, e.tokens_cached, e.tokens_out, e.cost, e.unpriced_calls, e.no_usage_calls,
                e.in_doubt_calls, e.error_calls, e.adjustments, e.cost_corrected
            from public.%I e
            left join lateral (
                select x.key || '=' || x.value as tag from jsonb_each_text(e.tags) x where 'tag' = any ($2)
            ) t on true
            where e.org_id = (select app.current_org_id()) and e.at >= %L and e.at < %L %s
        $sql$, case when p_corrected then 'bookings' else 'booked_calls' end, p_from, p_to, v_filters);
    elsif p_source = 'all' then
        return format($sql$
            select e.day, e.project_id, e.api_key_id, e.model, e.endpoint, e.service_tier, e.status_code, null, null, e.calls,
                e.tokens_in, e.tokens_cached, e.tokens_out, e.cost, e.unpriced_calls, e.no_usage_calls, e.in_doubt_calls,
                e.error_calls, e.adjustments, e.cost_corrected
            from public.daily_entries e
            where e.org_id = (select app.current_org_id()) and e.day >= %L and e.day < %L %s
        $sql$, v_first, v_end, v_filters);
    elsif p_source in ('end_user', 'tag') then
        return format($sql$
            select e.day, e.project_id, e.api_key_id, null, null, null, null::integer, case e.kind when 'end_user' then e.label end,
                case e.kind when 'tag' then e.label end, e.calls, e.tokens_in, e.tokens_cached, e.tokens_out, e.cost,
                e.unpriced_calls, e.no_usage_calls, e.in_doubt_calls, e.error_calls, e.adjustments, e.cost_corrected
            from public.daily_label_entries e
            where e.org_id = (select app.current_org_id()) and e.kind = %L and e.day >= %L and e.day < %L %s
        $sql$, p_source, v_first, v_end, v_filters);
    end if;
    return format($sql$
        select e.day, e.project_id, e.api_key_id, null, null, null, null::integer, null, null, -e.calls, -e.tokens_in,
            -e.tokens_cached, -e.tokens_out, -e.cost, -e.unpriced_calls, -e.no_usage_calls, -e.in_doubt_calls, -e.error_calls,
            -e.adjustments, -e.cost_corrected
        from public.daily_label_entries e
        where e.org_id = (select app.current_org_id()) and e.kind = %L and e.day >= %L and e.day < %L %s
    $sql$, case p_source when '-tag' then 'tagged' else 'end_user' end, v_first, v_end, v_filters);
end $$;

comment on function app.sums_entries is
    'Text of a query for calls, daily totals or daily labels that app.sums adds up.';
-- Part of app.sums, which runs with the rights of its caller.
revoke execute on function app.sums_entries from public, anon, authenticated, service_role;
grant execute on function app.sums_entries to authenticated;
