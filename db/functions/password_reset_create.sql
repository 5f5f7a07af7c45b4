-- password_reset_create(e-mail, token hash) → person whom a link to set a new password was made for; null when the address
-- is unknown
create or replace function app.password_reset_create(p_email text, p_token_hash bytea) returns uuid
language sql security definer
set search_path = ''
as $$
    insert into private.password_resets (token_hash, user_id)
    select p_token_hash, u.id from auth.users u
    where lower(u.email) = lower(btrim(p_email)) and u.deleted_at is null and u.is_sso_user = false
    returning user_id
$$;

comment on function app.password_reset_create is
    'Makes a link to set a new password, valid once and for a day; called by the operator.';
-- No grant: `flask users reset` calls it as the owner of the database.
revoke execute on function app.password_reset_create from public, anon, authenticated, service_role;
