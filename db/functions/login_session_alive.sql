-- login_session_alive(session) → whether access tokens of this API log-in are still accepted
create or replace function app.login_session_alive(p_session_id uuid) returns boolean
language sql stable security definer
set search_path = ''
as $$
    select exists (select from private.login_sessions s join auth.users u on u.id = s.user_id
        where s.id = p_session_id and s.ended_at is null and u.deleted_at is null
          and (u.banned_until is null or u.banned_until < now()))
$$;

comment on function app.login_session_alive is
    'Whether a session of the embedded identity provider is not ended and its person neither deleted nor banned.';
revoke execute on function app.login_session_alive from public, anon, authenticated, service_role;
grant execute on function app.login_session_alive to spendai_auth;
