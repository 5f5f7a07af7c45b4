-- login_session_start(person, refresh token hash, agent, address) → id of the new session of an API log-in
create or replace function app.login_session_start(
    p_user_id uuid, p_token_hash bytea, p_agent text, p_address text
) returns uuid
language sql security definer
set search_path = ''
as $$
    with s as (
        insert into private.login_sessions (user_id, agent, address) values (p_user_id, left(p_agent, 300), p_address)
        returning id
    )
    insert into private.refresh_tokens (token_hash, session_id) select p_token_hash, s.id from s returning session_id
$$;

comment on function app.login_session_start is
    'Begins a session of the embedded identity provider with its first refresh token.';
revoke execute on function app.login_session_start from public, anon, authenticated, service_role;
grant execute on function app.login_session_start to spendai_auth;
