-- account_delete(person): deletes an account that SpendAI keeps, at the person's own wish
--
-- Whoever calls it has checked the password. Raises PT409 last_admin (see account_remove).
create or replace function app.account_delete(p_user_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
    perform set_config('request.jwt.claims', jsonb_build_object('sub', p_user_id)::text, true);  -- the actor of the audit line
    perform app.account_remove(p_user_id);
end $$;

comment on function app.account_delete is 'A person deletes their account; never the last admin of an organization.';
revoke execute on function app.account_delete from public, anon, authenticated, service_role;
grant execute on function app.account_delete to spendai_auth;
