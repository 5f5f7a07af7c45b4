-- call_corrections(call id) → the corrections of one call, the oldest first
create or replace function app.call_corrections(p_call_id uuid)
returns table (id uuid, at timestamptz, delta numeric, reason text, details jsonb, created_by uuid)
language sql stable
set search_path = ''
as $$
    select a.id, a.at, a.delta, a.reason, a.details, a.created_by
    from public.cost_adjustments a where a.call_id = p_call_id
    order by a.at, a.id
$$;

comment on function app.call_corrections is
    'Corrections of one call of the caller''s organization: how many dollars, when booked, why.';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.call_corrections from public, anon, authenticated, service_role;
grant execute on function app.call_corrections to authenticated;
