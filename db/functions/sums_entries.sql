-- sums_entries(source, filters, corrected) → a query for what app.sums adds up, as text
--
-- p_source: calls (the calls themselves, from $2 to $3), or of whole days (from $4 to $5, dates) all, end_user or tag, and
-- `-end_user` or `-tag`: those that have one, negative, so that of all calls those without remain. $1: the filters.
-- p_corrected: calls with their corrections, which takes several times as long to plan.
create or replace function app.sums_entries(p_source text, p_filters jsonb, p_corrected boolean) returns text
language sql immutable
set search_path = ''
as $$
    select replace(replace(case p_source
        when 'calls' then
            'select (e.at at time zone ''utc'')::date as day, e.project_id, e.api_key_id, e.model, e.endpoint, e.service_tier,
                e.status_code, e.end_user, t.tag, <sums>
            from public.' || case when p_corrected then 'bookings' else 'booked_calls' end || ' e
            left join lateral (
                select x.key || ''='' || x.value as tag from jsonb_each_text(e.tags) x where ''tag'' = any ($6)
            ) t on true
            where e.org_id = (select app.current_org_id()) and e.at >= $2 and e.at < $3'
        when 'all' then
            'select e.day, e.project_id, e.api_key_id, e.model, e.endpoint, e.service_tier, e.status_code, null, null, <sums>
            from public.daily_entries e where <days>'
        else format(
            'select e.day, e.project_id, e.api_key_id, null, null, null, null::integer, %s, %s, <sums>
            from public.daily_label_entries e where e.kind = %L and <days>',
            case p_source when 'end_user' then 'e.label' else 'null' end, case p_source when 'tag' then 'e.label' else 'null' end,
            case p_source when '-tag' then 'tagged' else ltrim(p_source, '-') end)
        end || app.filter_sql(p_filters, p_source not in ('calls', 'all')),
        '<days>', 'e.org_id = (select app.current_org_id()) and e.day >= $4 and e.day < $5'),
        '<sums>', regexp_replace('*calls, *tokens_in, *tokens_cached, *tokens_out, *cost, *unpriced_calls, *no_usage_calls,'
            ' *in_doubt_calls, *error_calls, *adjustments, *cost_corrected', '\*', case when p_source like '-%' then '-e.' else 'e.' end, 'g'))
$$;

comment on function app.sums_entries is 'Text of the query whose rows app.sums adds up: calls, or what is kept per day. Part of app.sums.';
revoke execute on function app.sums_entries from public, anon, authenticated, service_role;
grant execute on function app.sums_entries to authenticated;
