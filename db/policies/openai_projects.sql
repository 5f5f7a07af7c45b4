-- openai_projects: members and analysts read those of their organization; only app.books_store writes, as owner
alter table public.openai_projects enable row level security;
drop policy if exists read_own_org on public.openai_projects;
create policy read_own_org on public.openai_projects for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.openai_projects;
create policy read_as_analyst on public.openai_projects for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.openai_projects from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.openai_projects to authenticated, spendai_analyst;
-- No insert, update or delete: what OpenAI lists is replaced by the next fetch only.
