-- login_session_end(session): ends an API log-in; its access and refresh tokens stop working
create or replace function app.login_session_end(p_session_id uuid) returns void
language sql security definer
set search_path = ''
as $$
    update private.login_sessions s set ended_at = now(), agent = null, address = null where s.id = p_session_id and s.ended_at is null
$$;

comment on function app.login_session_end is 'Ends one session of the embedded identity provider.';
revoke execute on function app.login_session_end from public, anon, authenticated, service_role;
grant execute on function app.login_session_end to spendai_auth;
