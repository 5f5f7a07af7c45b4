-- password_reset_create(e-mail, token hash) → the person a one-time password link was made for, or null
create or replace function app.password_reset_create(p_email text, p_token_hash bytea) returns uuid
language sql security definer
set search_path = ''
as $$
    insert into private.password_resets (token_hash, user_id)
    select p_token_hash, u.id from auth.users u
    where lower(u.email) = lower(btrim(p_email)) and u.deleted_at is null and u.is_sso_user = false
    returning user_id
$$;

comment on function app.password_reset_create is 'Makes a one-time password link, good for a day. Only the operator can: no role is granted it.';
-- No grant: the command line calls it as the database's owner.
revoke execute on function app.password_reset_create from public, anon, authenticated, service_role;
