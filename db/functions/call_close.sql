-- call_close(call, cost or null, reason): an admin closes by hand a call that is in doubt, or whose cost is not known
--
-- Before its deadline the gateway may still be waiting for the answer, or OpenAI still be working on the object that the call
-- made.
create or replace function app.call_close(p_call_id uuid, p_cost numeric, p_reason text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
begin
    if exists (select from public.usage_logs u
               where u.org_id = v_org and u.id = p_call_id and u.deadline_at >= now()
                 and (u.state = 'open' or u.cost_status = 'pending_object')) then
        raise sqlstate 'PT409' using message = 'the call may still be running', detail = 'call_running';
    end if;
    perform app.call_end(v_org, p_call_id, p_cost, p_reason);
end $$;

comment on function app.call_close is
    'Closes a call of the admin''s organization by hand: one in doubt with or without a cost, one of unknown cost with its cost.';
revoke execute on function app.call_close from public, anon, authenticated, service_role;
grant execute on function app.call_close to authenticated;
