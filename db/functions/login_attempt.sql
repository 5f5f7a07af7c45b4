-- login_attempt(account hash, address) → 0: the password may be checked now; else the seconds to wait before the next attempt
--
-- An allowed attempt is counted as a failure at once; app.login_succeeded removes it. Within 15 minutes there may be 20
-- failures for one account from one address. Of an account that did not log in from this address during the last 90 days, there
-- may also be only 100 failures from the address in all: so nobody tries many accounts, and nobody in an office locks out the
-- others behind its one address. Failures are never counted by account alone: then anybody could lock its owner out.
--
-- The table is locked, so that attempts at the same moment are counted one after the other. It is no advisory lock, because every
-- login of the database could take that lock and hold it.
create or replace function app.login_attempt(p_account_hash bytea, p_address text) returns integer
language plpgsql security definer
set search_path = ''
set enable_seqscan = off  -- a plan that was made for a small table must not read a large one
as $$
declare
    c_window constant interval := '15 minutes';
    c_known constant interval := '90 days';
    v_now timestamptz;  -- a variable, because no index finds rows by a comparison with clock_timestamp()
    v_free_at timestamptz;
begin
    lock table private.login_attempts in share row exclusive mode;
    v_now := clock_timestamp();
    delete from private.login_attempts a where a.id in (
        select a.id from private.login_attempts a where a.at < v_now - c_window limit 100);
    -- The 20th and the 100th newest attempt: while one of them is younger than the window, a limit is reached.
    select max(nth.at) + c_window into v_free_at from (
        (select a.at from private.login_attempts a
         where a.address = p_address and a.account_hash = p_account_hash order by a.at desc offset 19 limit 1)
        union all
        (select a.at from private.login_attempts a
         where a.address = p_address and not exists (
             select from private.login_places p
             where p.account_hash = p_account_hash and p.address = p_address and p.at > v_now - c_known)
         order by a.at desc offset 99 limit 1)
    ) nth;
    if v_free_at > v_now then
        return ceil(extract(epoch from v_free_at - v_now));
    end if;
    insert into private.login_attempts (account_hash, address) values (p_account_hash, p_address);
    return 0;
end $$;

comment on function app.login_attempt is
    '0 when a password may be checked now, which counts as a failed attempt; else how many seconds to wait.';
revoke execute on function app.login_attempt from public, anon, authenticated, service_role;
grant execute on function app.login_attempt to spendai_auth;
