-- web_session_claim(id hash, seconds) → a browser session's tokens, and whether the caller is the one to renew them
--
-- The claim is a deadline in the row and not a row lock: nobody holds a transaction open while the provider answers. It
-- runs out by itself, so a gateway that dies on the way blocks nothing, and a provider that is away is asked now and then.
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

comment on function app.web_session_claim is 'Reads the tokens of a browser session and lets one caller at a time renew them.';
revoke execute on function app.web_session_claim from public, anon, authenticated, service_role;
grant execute on function app.web_session_claim to spendai_auth;
