-- login_session_start(person, refresh token hash) → id of the new session of an API log-in
create or replace function app.login_session_start(p_user_id uuid, p_token_hash bytea) returns uuid
language sql security definer
set search_path = ''
as $$
    with s as (insert into private.login_sessions (user_id) values (p_user_id) returning id)
    insert into private.refresh_tokens (token_hash, session_id) select p_token_hash, s.id from s returning session_id
$$;

comment on function app.login_session_start is
    'Begins a session of the embedded identity provider with its first refresh token.';
revoke execute on function app.login_session_start from public, anon, authenticated, service_role;
grant execute on function app.login_session_start to spendai_auth;
