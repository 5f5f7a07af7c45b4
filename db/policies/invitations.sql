-- invitations: admins read the invitations of their organization; nobody reads the hash of a token
alter table public.invitations enable row level security;
drop policy if exists read_as_admin on public.invitations;
create policy read_as_admin on public.invitations for select to authenticated
    using (org_id = (select app.admin_org_id()));
revoke all on public.invitations from public, anon, authenticated, service_role;
grant select (id, org_id, email, role, created_by, created_at, expires_at, accepted_at, accepted_by, revoked_at)
    on public.invitations to authenticated;
-- No insert, update or delete: only invitation_create, invitation_accept and invitation_revoke write here.
