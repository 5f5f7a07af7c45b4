-- login_succeeded(account hash, address): the password was right; removes the counted attempts of this account from this
-- address, and remembers that the account logs in from there (app.login_attempt reads it)
create or replace function app.login_succeeded(p_account_hash bytea, p_address text) returns void
language plpgsql security definer
set search_path = ''
set enable_seqscan = off  -- a plan that was made for a small table must not read a large one
as $$
declare
    v_now timestamptz := clock_timestamp();
begin
    delete from private.login_attempts a where a.address = p_address and a.account_hash = p_account_hash;
    delete from private.login_places p where (p.account_hash, p.address) in (
        select q.account_hash, q.address from private.login_places q where q.at < v_now - interval '90 days' limit 100
        for update skip locked);
    insert into private.login_places as p (account_hash, address) values (p_account_hash, p_address)
    on conflict (account_hash, address) do update set at = excluded.at;
end $$;

comment on function app.login_succeeded is
    'Removes the failed log-ins counted for an account from an address, and remembers the address.';
revoke execute on function app.login_succeeded from public, anon, authenticated, service_role;
grant execute on function app.login_succeeded to spendai_auth;
