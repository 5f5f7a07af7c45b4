-- only_admin(person) → whether this person is the only admin of the caller's organization
--
-- Such a person can neither leave nor become a developer; pages say so before they ask. app.member_remove and
-- app.member_set_role refuse it under a lock.
create or replace function app.only_admin(p_user_id uuid) returns boolean
language sql stable
set search_path = ''
as $$
    select exists (select from public.members m where m.user_id = p_user_id and m.role = 'admin')
       and not exists (select from public.members m where m.user_id <> p_user_id and m.role = 'admin')
$$;

comment on function app.only_admin is 'Whether a person is the only admin of the caller''s organization.';
-- With the caller's own rights: row level security shows the members of the own organization only.
revoke execute on function app.only_admin from public, anon, authenticated, service_role;
grant execute on function app.only_admin to authenticated;
