-- call_fills(call id) → the fills of one call, the oldest first: how it got the cost it lacked, or another cost status
create or replace function app.call_fills(p_call_id uuid)
returns table (id uuid, at timestamptz, old_status text, new_status text, cost numeric, reason text, filled_by uuid)
language sql stable
set search_path = ''
as $$
    select f.id, f.at, f.old_status, f.new_status, f.cost, f.reason, f.filled_by
    from public.cost_fills f where f.call_id = p_call_id
    order by f.at, f.id
$$;

comment on function app.call_fills is
    'The fills of one call of the caller''s organization: its cost status before and after, when and why.';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.call_fills from public, anon, authenticated, service_role;
grant execute on function app.call_fills to authenticated;
