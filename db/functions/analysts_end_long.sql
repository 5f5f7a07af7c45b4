-- analysts_end_long(longest) → how many sessions of analysts it ended: with a transaction that has lasted longer, or > 1,000 locks
--
-- The time-outs of a login are only defaults, which the analyst may change in a session. These limits nobody can change. A long
-- statement keeps a core or the memory busy, the locks of a long transaction hold up flask migrate and flask retention, and the
-- table of locks has room for some thousands (advisory locks stay after the transaction): when it is full, calls are refused.
-- A query on all views takes about 400.
--
-- Each gateway worker runs it every 20 seconds, with 5 minutes. With a full table of locks Postgres cannot read the roles, so the
-- first statement reads each time, into the caches of this session, what pg_terminate_backend will ask for.
create or replace function app.analysts_end_long(p_longest interval) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
    v_roles oid[];
    v_ended integer;
begin
    select array_agg(r.id) filter (where r.id::regrole::text is not null) into v_roles
    from private.analyst_logins l, lateral (select to_regrole(quote_ident(l.role_name))::oid as id) r;
    if v_roles is null or not pg_catalog.pg_has_role('pg_signal_backend', 'usage') then
        return 0;  -- flask doctor says what the owner lacks for it
    end if;
    select count(pg_catalog.pg_terminate_backend(s.pid)) into v_ended
    from pg_catalog.pg_stat_get_activity(null) s
    where s.usesysid = any (v_roles)
      and (s.xact_start < clock_timestamp() - p_longest
           or (select count(*) from pg_catalog.pg_lock_status() k where k.pid = s.pid) > 1000);
    return v_ended;
end $$;

comment on function app.analysts_end_long is
    'Ends sessions of analysts whose transaction has lasted longer than p_longest, or which hold more than 1,000 locks.';
revoke execute on function app.analysts_end_long from public, anon, authenticated, service_role;
grant execute on function app.analysts_end_long to spendai_auth;
