-- line_aliases: members and analysts read those for everybody and those of their organization; app.line_alias_set writes, as owner
alter table public.line_aliases enable row level security;
drop policy if exists read_own_org on public.line_aliases;
create policy read_own_org on public.line_aliases for select to authenticated
    using (org_id is null and (select app.current_org_id()) is not null or org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.line_aliases;
create policy read_as_analyst on public.line_aliases for select to spendai_analyst
    using (org_id is null and (select app.analyst_org_id()) is not null or org_id = (select app.analyst_org_id()));
revoke all on public.line_aliases from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.line_aliases to authenticated, spendai_analyst;
-- No insert, update or delete: functions for admins leave a line in the audit log.
