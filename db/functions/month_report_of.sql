-- month_report_of(organization, first day of a month) → the ledger's spend of the month (UTC) by project, key, model, tag and person
--
-- {"total": [row], "project": [row, …], "key": …, "model": …, "tag": …, "person": …}, the dearest first. A row: id, name, calls, tokens_in,
-- tokens_cached, tokens_out, cost (US dollars with all corrections of these calls), corrections (the part of cost that is
-- corrections), unpriced_calls, no_usage_calls, in_doubt_calls. Dollars are decimal text. The rows of project, key, model and
-- person add up to the ledger's total of the month. A call with several tags is in several rows of tag, a call without in none.
-- person: who made the key that the calls used.
create or replace function app.month_report_of(p_org_id uuid, p_month date) returns jsonb
language sql stable
set search_path = ''
as $$
    with entries as materialized (
        select e.project_id, e.api_key_id, e.model, sum(e.calls) as calls, sum(e.tokens_in) as tokens_in,
            sum(e.tokens_cached) as tokens_cached, sum(e.tokens_out) as tokens_out, sum(e.cost_corrected) as cost,
            sum(e.cost_corrected - e.cost + e.adjustments) as corrections, sum(e.unpriced_calls) as unpriced,
            sum(e.no_usage_calls) as silent, sum(e.in_doubt_calls) as doubtful
        from public.daily_entries e
        where e.org_id = p_org_id and e.day >= p_month and e.day < p_month + interval '1 month'
        group by 1, 2, 3
    ), named as (
        select v.by, v.id, v.name, e.calls, e.tokens_in, e.tokens_cached, e.tokens_out, e.cost, e.corrections, e.unpriced, e.silent, e.doubtful
        from entries e
        left join public.projects p on p.id = e.project_id
        left join public.api_keys k on k.id = e.api_key_id
        cross join lateral (values
            ('total', '', 'Total'), ('project', e.project_id::text, p.name), ('key', e.api_key_id::text, p.name || ' / ' || k.name || ' ' || k.prefix || '…'),
            ('model', e.model, e.model), ('person', k.created_by::text, app.person_email(p_org_id, k.created_by))) as v (by, id, name)
        union all
        select 'tag', l.label, l.label, l.calls, l.tokens_in, l.tokens_cached, l.tokens_out, l.cost_corrected,
            l.cost_corrected - l.cost + l.adjustments, l.unpriced_calls, l.no_usage_calls, l.in_doubt_calls
        from public.daily_label_entries l
        where l.org_id = p_org_id and l.kind = 'tag' and l.day >= p_month and l.day < p_month + interval '1 month'
    ), added as (
        select n.by, n.id, min(n.name) as name, sum(n.calls) as calls, sum(n.tokens_in) as tokens_in, sum(n.tokens_cached) as tokens_cached,
            sum(n.tokens_out) as tokens_out, sum(n.cost) as cost, sum(n.corrections) as corrections, sum(n.unpriced) as unpriced,
            sum(n.silent) as silent, sum(n.doubtful) as doubtful
        from named n
        group by 1, 2
        having sum(n.calls) <> 0 or sum(n.cost) <> 0
    ), listed as (
        select a.by, jsonb_agg(jsonb_build_object(
            'id', a.id, 'name', a.name, 'calls', a.calls, 'tokens_in', a.tokens_in, 'tokens_cached', a.tokens_cached,
            'tokens_out', a.tokens_out, 'cost', trim_scale(a.cost)::text, 'corrections', trim_scale(a.corrections)::text,
            'unpriced_calls', a.unpriced, 'no_usage_calls', a.silent, 'in_doubt_calls', a.doubtful) order by a.cost desc, a.name, a.id) as rows
        from added a
        group by 1
    )
    select jsonb_build_object('total', '[]'::jsonb, 'project', '[]'::jsonb, 'key', '[]'::jsonb, 'model', '[]'::jsonb, 'tag', '[]'::jsonb, 'person', '[]'::jsonb)
        || coalesce((select jsonb_object_agg(l.by, l.rows) from listed l), '{}')
$$;

comment on function app.month_report_of is 'The ledger''s spend of a month by project, key, model, tag and person, as JSON.';
-- No grant: part of app.month_report and app.month_close_for, for any organization.
revoke execute on function app.month_report_of from public, anon, authenticated, service_role;
