-- call_find(call id) → one call of any organization, real or sandbox, for the operator; or no row
--
-- cost_corrected: its cost with all corrections; null while the cost is not known.
create or replace function app.call_find(p_call_id uuid)
returns table (
    id uuid, started_at timestamptz, org_id uuid, organization text, upstream text, method text, endpoint text,
    model_requested text, model text, service_tier text, batch boolean, state text, cost numeric, cost_status text,
    cost_lines jsonb, cost_corrected numeric
)
language sql stable
set search_path = ''
as $$
    select u.id, u.started_at, u.org_id, o.name, u.upstream, u.method, u.endpoint, u.model_requested, u.model, u.service_tier,
        u.batch, u.state, u.cost, u.cost_status, u.cost_lines,
        u.cost + coalesce((select sum(c.delta) from app.call_corrections(u.id) c), 0)
    from public.usage_logs u
    join public.organizations o on o.id = u.org_id
    where u.id = p_call_id
      and u.started_at between app.call_began(p_call_id) - interval '1 s' and app.call_began(p_call_id) + interval '1 s'
$$;

comment on function app.call_find is 'One call of any organization by its id, with its corrected cost.';
-- No grant: for the operator, through flask prices explain.
revoke execute on function app.call_find from public, anon, authenticated, service_role;
