-- web_session_claim(id hash, seconds) → the tokens of a browser session, and whether the caller shall renew them; no row
-- when it has ended
--
-- Tokens of an outside identity provider expire, and one request at a time may renew them. The claim (`mine`) is a moment
-- in the row, renewing_until, and no row lock: no transaction stays open while the provider answers. After p_seconds it is
-- void, so a process that dies while renewing blocks nobody, and a provider that is down is asked again from time to time.
create or replace function app.web_session_claim(p_id_hash bytea, p_seconds integer)
returns table (tokens bytea, mine boolean)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_session private.web_sessions;
begin
    select s.* into v_session from private.web_sessions s
    where s.id_hash = p_id_hash and s.expires_at > now() for update;
    if not found then
        return;
    end if;
    mine := v_session.renewing_until is null or v_session.renewing_until < clock_timestamp();
    if mine then
        update private.web_sessions s set renewing_until = clock_timestamp() + make_interval(secs => p_seconds)
        where s.id_hash = p_id_hash;
    end if;
    tokens := v_session.tokens;
    return next;
end $$;

comment on function app.web_session_claim is
    'Tokens of a browser session, and whether the caller is the one that shall renew them now.';
revoke execute on function app.web_session_claim from public, anon, authenticated, service_role;
grant execute on function app.web_session_claim to spendai_auth;
