-- web_session_load(id hash) → a browser session with the id and e-mail address of its person; no row when it has ended
--
-- Nor is there a row when the account is deleted or banned: the next request of such a person finds no session. user_id is
-- null in a session that nobody has signed in to yet.
create or replace function app.web_session_load(p_id_hash bytea)
returns table (user_id uuid, email text, data jsonb, tokens bytea, expires_at timestamptz)
language sql stable security definer
set search_path = ''
as $$
    select s.user_id, lower(u.email), s.data, s.tokens, s.expires_at
    from private.web_sessions s left join auth.users u on u.id = s.user_id
    where s.id_hash = p_id_hash and s.expires_at > now()
      and (s.user_id is null or (u.deleted_at is null and (u.banned_until is null or u.banned_until < now())))
$$;

comment on function app.web_session_load is 'Browser session and person of a cookie, given by its SHA-256.';
revoke execute on function app.web_session_load from public, anon, authenticated, service_role;
grant execute on function app.web_session_load to spendai_auth;
