-- organizations: its members read it; changes go through functions
alter table public.organizations enable row level security;
drop policy if exists read_own on public.organizations;
create policy read_own on public.organizations for select to authenticated
    using (id = (select app.current_org_id()));   -- (select …): once per query, not per row
revoke all on public.organizations from public, anon, authenticated, service_role;
grant select on public.organizations to authenticated;
-- No insert, update or delete: ensure_organization, organization_rename and provider_key_set are the only ways.
