-- web_session_renew(id hash, tokens): stores renewed tokens and ends the claim on them; does nothing when the session has
-- ended
create or replace function app.web_session_renew(p_id_hash bytea, p_tokens bytea) returns void
language sql security definer
set search_path = ''
as $$
    update private.web_sessions s set tokens = p_tokens, renewing_until = null where s.id_hash = p_id_hash
$$;

comment on function app.web_session_renew is
    'Stores renewed tokens of a browser session and ends the claim of app.web_session_claim.';
revoke execute on function app.web_session_renew from public, anon, authenticated, service_role;
grant execute on function app.web_session_renew to spendai_auth;
