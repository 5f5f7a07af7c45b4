-- password_reset_use(token hash, bcrypt hash) → person whose password was set; null when the link was used before, has expired
-- or does not exist
--
-- Also ends every session of the person and all other links. Ask password_reset_peek first: making a hash takes a tenth of a second
-- of a processor, which nobody without a link shall be able to ask for.
create or replace function app.password_reset_use(p_token_hash bytea, p_hash text) returns uuid
language plpgsql security definer
set search_path = ''
as $$
declare
    v_user uuid;
begin
    update private.password_resets r set used_at = now()
    where r.token_hash = p_token_hash and r.used_at is null and r.expires_at > now() returning r.user_id into v_user;
    if found then
        perform local_auth.set_password(v_user, p_hash);
        perform app.sessions_end_all(v_user);
    end if;
    return v_user;
end $$;

comment on function app.password_reset_use is
    'Sets a new password by a one-time link and ends every session of the person.';
revoke execute on function app.password_reset_use from public, anon, authenticated, service_role;
grant execute on function app.password_reset_use to spendai_auth;
