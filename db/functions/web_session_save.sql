-- web_session_save(id hash, data, tokens, seconds) → whether the browser session was there to save; one that has ended
-- stays ended
--
-- The session now ends p_seconds from now. Null p_tokens leave the stored tokens as they are, because another request may have
-- renewed them in the meantime.
create or replace function app.web_session_save(p_id_hash bytea, p_data jsonb, p_tokens bytea, p_seconds integer)
returns boolean
language sql security definer
set search_path = ''
as $$
    with saved as (
        update private.web_sessions s set data = p_data, tokens = coalesce(p_tokens, s.tokens), seen_at = now(),
            expires_at = now() + make_interval(secs => p_seconds)
        where s.id_hash = p_id_hash and s.expires_at > now() returning 1
    )
    select exists (select from saved)
$$;

comment on function app.web_session_save is 'Saves a browser session and extends it; never brings back one that has ended.';
revoke execute on function app.web_session_save from public, anon, authenticated, service_role;
grant execute on function app.web_session_save to spendai_auth;
