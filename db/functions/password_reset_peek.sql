-- password_reset_peek(token hash) → e-mail address of the person whose password the link sets; no row when the link was used
-- before, has expired or does not exist
create or replace function app.password_reset_peek(p_token_hash bytea)
returns table (email text)
language sql stable security definer
set search_path = ''
as $$
    select lower(u.email)
    from private.password_resets r join auth.users u on u.id = r.user_id
    where r.token_hash = p_token_hash and r.used_at is null and r.expires_at > now()
$$;

comment on function app.password_reset_peek is
    'E-mail address of the person whose password a one-time link sets, for anybody who has the link.';
revoke execute on function app.password_reset_peek from public, anon, authenticated, service_role;
grant execute on function app.password_reset_peek to spendai_auth;
