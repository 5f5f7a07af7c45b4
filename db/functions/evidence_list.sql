-- evidence_list(from, until) → calls in doubt or without usage that a minute of OpenAI's Usage API proves, the newest first
--
-- For members. Columns as those of app.call_evidence. cost is null where a price is missing: such a call cannot be closed yet.
-- p_until is not included; at most 62 days.
create or replace function app.evidence_list(p_from date, p_until date)
returns table (
    call_id uuid, started_at timestamptz, reason text, model text, minute timestamptz, usage jsonb, cost numeric, cost_lines jsonb
)
language sql stable security definer
set search_path = ''
as $$
    select e.* from (
        select distinct (u.start_at at time zone 'utc')::date as day from public.openai_usage_lines u
        where u.org_id = (select app.current_org_id()) and u.width = '1m'
          and u.start_at >= p_from::timestamp at time zone 'utc' and u.start_at < p_until::timestamp at time zone 'utc'
          and u.start_at < (p_from + 62)::timestamp at time zone 'utc'
    ) d
    cross join lateral app.call_evidence((select app.current_org_id()), d.day) e
    order by e.started_at desc, e.call_id
$$;

comment on function app.evidence_list is 'Calls whose usage the ledger does not know but OpenAI''s minutes prove, with what they cost.';
revoke execute on function app.evidence_list from public, anon, authenticated, service_role;
grant execute on function app.evidence_list to authenticated;
