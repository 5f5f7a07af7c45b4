-- signup_attempt(address) → 0: somebody may sign up now, which counts; else the seconds to wait before the next attempt
--
-- Within 15 minutes there may be 50 from one address: hashing a password takes about as long as 50 pages. The table is locked,
-- so that attempts at the same moment are counted one after the other; see app.login_attempt.
create or replace function app.signup_attempt(p_address text) returns integer
language plpgsql security definer
set search_path = ''
set enable_seqscan = off  -- a plan that was made for a small table must not read a large one
as $$
declare
    c_window constant interval := '15 minutes';
    v_now timestamptz;  -- a variable, because no index finds rows by a comparison with clock_timestamp()
    v_free_at timestamptz;
begin
    lock table private.signup_attempts in share row exclusive mode;
    v_now := clock_timestamp();
    delete from private.signup_attempts a where a.id in (
        select a.id from private.signup_attempts a where a.at < v_now - c_window limit 100);
    select a.at + c_window into v_free_at
    from private.signup_attempts a where a.address = p_address order by a.at desc offset 49 limit 1;  -- the 50th newest
    if v_free_at > v_now then
        return ceil(extract(epoch from v_free_at - v_now));
    end if;
    insert into private.signup_attempts (address) values (p_address);
    return 0;
end $$;

comment on function app.signup_attempt is '0 when somebody may sign up now, which counts; else how many seconds to wait.';
revoke execute on function app.signup_attempt from public, anon, authenticated, service_role;
grant execute on function app.signup_attempt to spendai_auth;
