-- members: members read who else is in their organization; only functions write
alter table public.members enable row level security;
drop policy if exists read_own_org on public.members;
create policy read_own_org on public.members for select to authenticated
    using (org_id = (select app.current_org_id()));
revoke all on public.members from public, anon, authenticated, service_role;
grant select on public.members to authenticated;
-- No insert, update or delete: only ensure_organization, invitation_accept, member_set_role and member_remove write here.
