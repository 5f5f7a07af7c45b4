-- web_session_renew(id hash, tokens): a browser session's new tokens; one that was ended meanwhile stays ended
create or replace function app.web_session_renew(p_id_hash bytea, p_tokens bytea) returns void
language sql security definer
set search_path = ''
as $$
    update private.web_sessions s set tokens = p_tokens, renewing_until = null where s.id_hash = p_id_hash
$$;

comment on function app.web_session_renew is 'Stores new tokens of a browser session and lifts the claim on them.';
revoke execute on function app.web_session_renew from public, anon, authenticated, service_role;
grant execute on function app.web_session_renew to spendai_auth;
