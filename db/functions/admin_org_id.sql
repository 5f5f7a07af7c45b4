-- admin_org_id() → organization the signed-in person is an admin of, or null
create or replace function app.admin_org_id() returns uuid
language sql stable security definer
set search_path = ''
as $$
    select m.org_id from public.members m where m.user_id = auth.uid() and m.role = 'admin'
$$;

comment on function app.admin_org_id is 'Organization the signed-in person administers; null for everyone else.';
revoke execute on function app.admin_org_id from public, anon, authenticated, service_role;
grant execute on function app.admin_org_id to authenticated;
