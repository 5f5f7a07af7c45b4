-- web_session_load(id hash) → a living browser session with its person; no row when it has ended or they may not sign in
--
-- The person comes along, so a page asks once, and a deleted or banned account is out at its next request.
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

comment on function app.web_session_load is 'Reads a browser session by the SHA-256 of its cookie.';
revoke execute on function app.web_session_load from public, anon, authenticated, service_role;
grant execute on function app.web_session_load to spendai_auth;
