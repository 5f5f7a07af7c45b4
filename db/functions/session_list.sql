-- session_list(person, cookie hash) → sessions of a person that have not ended: browsers (the asking one first), then API
-- log-ins
--
-- p_id_hash: SHA-256 of the cookie of the browser that asks; its row has is_this. seen_at: last use, updated at most once
-- an hour. agent, address: of the log-in; null for one from before they were kept.
create or replace function app.session_list(p_user_id uuid, p_id_hash bytea)
returns table (
    kind text, is_this boolean, started_at timestamptz, seen_at timestamptz, id uuid, agent text, address text
)
language sql stable security definer
set search_path = ''
as $$
    select 'browser', s.id_hash = p_id_hash, s.created_at, s.seen_at, s.id, s.agent, s.address
    from private.web_sessions s where s.user_id = p_user_id and s.expires_at > now()
    union all
    select 'api', false, l.created_at,
        coalesce((select max(t.created_at) from private.refresh_tokens t where t.session_id = l.id), l.created_at),
        l.id, l.agent, l.address
    from private.login_sessions l
    where l.user_id = p_user_id and l.ended_at is null
      and exists (select from private.refresh_tokens t where t.session_id = l.id and t.used_at is null and t.expires_at > now())
    order by 2 desc, 1 desc, 4 desc
$$;

comment on function app.session_list is 'Sessions of a person that have not ended: browsers, and log-ins through the API.';
revoke execute on function app.session_list from public, anon, authenticated, service_role;
grant execute on function app.session_list to spendai_auth;
