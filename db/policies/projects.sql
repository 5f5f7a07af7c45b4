-- projects: members and analysts read the projects of their organization; only functions write
alter table public.projects enable row level security;
drop policy if exists read_own_org on public.projects;
create policy read_own_org on public.projects for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.projects;
create policy read_as_analyst on public.projects for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.projects from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.projects to authenticated, spendai_analyst;
-- No delete for anyone: a project is archived instead, because calls refer to it.
