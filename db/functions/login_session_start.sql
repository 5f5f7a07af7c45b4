-- login_session_start(person, refresh token hash, agent, address) → id of the new session of an API log-in; deletes up to 20 expired
-- refresh tokens, and the sessions that had no other: a script that logs in for each run never ends them
create or replace function app.login_session_start(
    p_user_id uuid, p_token_hash bytea, p_agent text, p_address text
) returns uuid
language sql security definer
set search_path = ''
set enable_seqscan = off  -- a plan that was made for a small table must not read a large one
as $$
    with expired as (
        delete from private.refresh_tokens t where t.token_hash in (
            select e.token_hash from private.refresh_tokens e where e.expires_at < now() order by e.expires_at limit 20
            for update skip locked)
        returning t.session_id
    )
    delete from private.login_sessions s
    where s.id in (select e.session_id from expired e)
      and not exists (select from private.refresh_tokens t where t.session_id = s.id and t.expires_at >= now());
    with s as (
        insert into private.login_sessions (user_id, agent, address) values (p_user_id, left(p_agent, 300), p_address)
        returning id
    )
    insert into private.refresh_tokens (token_hash, session_id) select p_token_hash, s.id from s returning session_id
$$;

comment on function app.login_session_start is
    'Begins a session of the embedded identity provider with its first refresh token, and deletes a few expired ones.';
revoke execute on function app.login_session_start from public, anon, authenticated, service_role;
grant execute on function app.login_session_start to spendai_auth;
