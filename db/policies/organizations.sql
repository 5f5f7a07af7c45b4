-- organizations: members and analysts read their own organization; only functions write
alter table public.organizations enable row level security;
drop policy if exists read_own on public.organizations;
create policy read_own on public.organizations for select to authenticated
    using (id = (select app.current_org_id()));   -- (select …): once per query, not per row
drop policy if exists read_as_analyst on public.organizations;
create policy read_as_analyst on public.organizations for select to spendai_analyst
    using (id = (select app.analyst_org_id()));
revoke all on public.organizations from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.organizations to authenticated, spendai_analyst;
-- No insert, update or delete: only functions write here, such as ensure_organization and organization_rename.
