-- analysts_end_long(longest) → how many sessions of analysts it ended, because their transaction had lasted longer than this
--
-- The time-outs of a login are only defaults, which the analyst may change in a session. This limit nobody can change: it ends
-- statements that keep a core or the memory busy, and idle transactions whose locks hold up flask migrate and flask retention.
-- Each gateway worker runs it every 20 seconds, with 5 minutes.
create or replace function app.analysts_end_long(p_longest interval) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
    v_ended integer;
begin
    select count(pg_catalog.pg_terminate_backend(a.pid)) into v_ended
    from pg_catalog.pg_stat_activity a
    join private.analyst_logins l on l.role_name = a.usename
    where a.xact_start < clock_timestamp() - p_longest and a.datname = current_database();
    return v_ended;
exception when insufficient_privilege then
    return 0;  -- flask doctor says what the owner lacks for it
end $$;

comment on function app.analysts_end_long is 'Ends sessions of analysts whose transaction has lasted longer than p_longest.';
revoke execute on function app.analysts_end_long from public, anon, authenticated, service_role;
grant execute on function app.analysts_end_long to spendai_auth;
