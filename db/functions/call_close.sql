-- call_close(call, cost or null, reason): an admin closes a call in doubt by hand
--
-- Only a call in doubt: before its deadline the gateway may still be waiting for the answer.
create or replace function app.call_close(p_call_id uuid, p_cost numeric, p_reason text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
begin
    if exists (select from public.usage_logs u
               where u.org_id = v_org and u.id = p_call_id and u.state = 'open' and u.deadline_at >= now()) then
        raise sqlstate 'PT409' using message = 'the call may still be running', detail = 'call_running';
    end if;
    perform app.call_end(v_org, p_call_id, p_cost, p_reason);
end $$;

comment on function app.call_close is
    'Closes a call in doubt of the admin''s organization: with a cost, or without one as no_usage.';
revoke execute on function app.call_close from public, anon, authenticated, service_role;
grant execute on function app.call_close to authenticated;
