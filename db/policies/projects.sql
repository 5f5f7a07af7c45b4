-- projects: everyone in the organization reads; changes go through functions
alter table public.projects enable row level security;
drop policy if exists read_own_org on public.projects;
create policy read_own_org on public.projects for select to authenticated
    using (org_id = (select app.current_org_id()));
revoke all on public.projects from public, anon, authenticated, service_role;
grant select on public.projects to authenticated;
-- No delete for anyone: archive instead, the ledger points here.
