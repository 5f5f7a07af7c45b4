-- login_succeeded(account hash, address): the password was right; removes the counted attempts of this account from this
-- address
create or replace function app.login_succeeded(p_account_hash bytea, p_address text) returns void
language sql security definer
set search_path = ''
as $$
    delete from private.login_attempts a where a.address = p_address and a.account_hash = p_account_hash
$$;

comment on function app.login_succeeded is 'Removes the failed log-ins counted for an account from an address.';
revoke execute on function app.login_succeeded from public, anon, authenticated, service_role;
grant execute on function app.login_succeeded to spendai_auth;
