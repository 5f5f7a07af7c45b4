-- me() → the signed-in person and their organization; no row for a person without an organization
create or replace function app.me()
returns table (user_id uuid, email text, role text, org_id uuid, organization text, books text, is_demo boolean, time_zone text)
language sql stable security definer
set search_path = ''
as $$
    select m.user_id, m.email, m.role, o.id, o.name, o.books, o.is_demo, o.time_zone
    from public.members m join public.organizations o on o.id = m.org_id
    where m.user_id = auth.uid()
$$;

comment on function app.me is 'The signed-in person, their role and their organization.';
revoke execute on function app.me from public, anon, authenticated, service_role;
grant execute on function app.me to authenticated;
