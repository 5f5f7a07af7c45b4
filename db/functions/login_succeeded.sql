-- login_succeeded(account hash, address): the right password came; its failures from there are forgotten
create or replace function app.login_succeeded(p_account_hash bytea, p_address text) returns void
language sql security definer
set search_path = ''
as $$
    delete from private.login_attempts a where a.address = p_address and a.account_hash = p_account_hash
$$;

comment on function app.login_succeeded is 'Forgets the failed log-ins of an account from an address.';
revoke execute on function app.login_succeeded from public, anon, authenticated, service_role;
grant execute on function app.login_succeeded to spendai_auth;
