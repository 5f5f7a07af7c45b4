-- user_alive(person) → whether the account exists and is neither deleted nor banned
--
-- The access token of an outside identity provider is valid until it expires, even when the account is closed earlier. The
-- application therefore asks here at each request.
create or replace function app.user_alive(p_user_id uuid) returns boolean
language sql stable security definer
set search_path = ''
as $$
    select exists (select from auth.users u
        where u.id = p_user_id and u.deleted_at is null and (u.banned_until is null or u.banned_until < now()))
$$;

comment on function app.user_alive is 'Whether the account of a person exists and is neither deleted nor banned.';
revoke execute on function app.user_alive from public, anon, authenticated, service_role;
grant execute on function app.user_alive to spendai_auth;
