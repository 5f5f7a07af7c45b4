-- focus_unknown(organization, first day of a month) → number of calls of the month (UTC) whose cost is not known, so that they have no charge
create or replace function app.focus_unknown(p_org_id uuid, p_month date) returns bigint
language sql stable
set search_path = ''
as $$
    select coalesce(sum(e.unpriced_calls + e.no_usage_calls + e.in_doubt_calls), 0)::bigint from public.daily_entries e
    where e.org_id = p_org_id and e.day >= p_month and e.day < p_month + interval '1 month'
$$;

comment on function app.focus_unknown is 'Number of calls of a month that have no known cost.';
-- No grant: for the operator, through flask export focus.
revoke execute on function app.focus_unknown from public, anon, authenticated, service_role;
