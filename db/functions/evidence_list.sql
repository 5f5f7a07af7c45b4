-- evidence_list(from, until) → calls in doubt or without usage that a minute of OpenAI's proves, with that minute, usage and cost
--
-- See app.call_evidence. p_until is not included; at most 31 days.
create or replace function app.evidence_list(p_from date, p_until date)
returns table (
    call_id uuid, started_at timestamptz, reason text, model text, minute timestamptz, usage jsonb, cost numeric
)
language sql stable security definer
set search_path = ''
as $$
    select e.call_id, e.started_at, e.reason, e.model, e.minute, e.usage, e.cost
    from generate_series(p_from, least(p_until - 1, p_from + 30), interval '1 day') d (day)
    cross join lateral app.call_evidence(app.current_org_id(), d.day::date) e
    order by e.started_at, e.call_id
$$;

comment on function app.evidence_list is 'Calls of the organization in doubt or without usage whose use OpenAI''s minutes show.';
revoke execute on function app.evidence_list from public, anon, authenticated, service_role;
grant execute on function app.evidence_list to authenticated;
