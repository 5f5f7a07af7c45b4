-- user_by_id(person) → e-mail and whether the account is usable; what a page needs of a signed-in person
create or replace function app.user_by_id(p_user_id uuid) returns table (email text, active boolean)
language sql stable security definer
set search_path = ''
as $$
    select lower(u.email), u.deleted_at is null and (u.banned_until is null or u.banned_until < now())
    from auth.users u where u.id = p_user_id
$$;

comment on function app.user_by_id is 'Address of a person and whether the account may sign in.';
revoke execute on function app.user_by_id from public, anon, authenticated, service_role;
grant execute on function app.user_by_id to spendai_auth;
