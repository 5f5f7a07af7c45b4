-- login_session_refresh(old hash, new hash) → session and person, or no row when the refresh token is not accepted
--
-- Replaces one refresh token by the next; the arguments are their SHA-256. A refresh token may be used once. A second use
-- within 10 seconds is taken for a client that lost the answer and tries again: it gets another token. A later second use
-- means that the token was stolen: the whole session ends.
create or replace function app.login_session_refresh(p_old_hash bytea, p_new_hash bytea)
returns table (session_id uuid, user_id uuid, email text)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_token private.refresh_tokens;
begin
    select t.* into v_token from private.refresh_tokens t
        join private.login_sessions s on s.id = t.session_id
    where t.token_hash = p_old_hash and t.expires_at > now() and s.ended_at is null for update of t, s;
    if not found then
        return;
    elsif v_token.used_at < now() - interval '10 seconds' then
        update private.login_sessions s set ended_at = now() where s.id = v_token.session_id;
        return;
    end if;
    update private.refresh_tokens t set used_at = coalesce(t.used_at, now()) where t.token_hash = p_old_hash;
    insert into private.refresh_tokens (token_hash, session_id) values (p_new_hash, v_token.session_id);
    delete from private.refresh_tokens t where t.session_id = v_token.session_id and t.expires_at < now();
    return query select s.id, s.user_id, u.email::text from private.login_sessions s join auth.users u on u.id = s.user_id
        where s.id = v_token.session_id and (u.banned_until is null or u.banned_until < now()) and u.deleted_at is null;
end $$;

comment on function app.login_session_refresh is
    'Replaces a refresh token of the embedded identity provider by the next one.';
revoke execute on function app.login_session_refresh from public, anon, authenticated, service_role;
grant execute on function app.login_session_refresh to spendai_auth;
