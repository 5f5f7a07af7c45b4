-- web_session_start(id hash, person or null, data, tokens, seconds, agent, address): stores a new browser session and
-- deletes up to 20 expired ones
--
-- The session ends p_seconds from now. Agent and address tell its person later where it was begun.
create or replace function app.web_session_start(
    p_id_hash bytea, p_user_id uuid, p_data jsonb, p_tokens bytea, p_seconds integer, p_agent text,
    p_address text
) returns void
language sql security definer
set search_path = ''
set enable_seqscan = off  -- a plan that was made for a small table must not read a large one
as $$
    delete from private.web_sessions s where s.id_hash in (
        select e.id_hash from private.web_sessions e where e.expires_at < now() limit 20 for update skip locked);
    insert into private.web_sessions (id_hash, user_id, data, tokens, expires_at, agent, address)
    values (p_id_hash, p_user_id, p_data, p_tokens, now() + make_interval(secs => p_seconds), left(p_agent, 300), p_address)
    on conflict (id_hash) do nothing;  -- two requests at once gave the browser the same session: the first row stays
$$;

comment on function app.web_session_start is 'Stores a new browser session and deletes a few expired ones.';
revoke execute on function app.web_session_start from public, anon, authenticated, service_role;
grant execute on function app.web_session_start to spendai_auth;
