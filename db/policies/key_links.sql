-- key_links: members and analysts read those of their organization; functions for admins and app.books_store write, as owner
alter table public.key_links enable row level security;
drop policy if exists read_own_org on public.key_links;
create policy read_own_org on public.key_links for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.key_links;
create policy read_as_analyst on public.key_links for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.key_links from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.key_links to authenticated, spendai_analyst;
-- No insert, update or delete: linking and unlinking are functions that leave a line in the audit log.
