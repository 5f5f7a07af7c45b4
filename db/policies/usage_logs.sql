-- usage_logs: members and analysts read the calls of their organization; only functions write, as owner, and
-- private.guard_usage_log refuses all updates but settling and filling
alter table public.usage_logs enable row level security;
drop policy if exists read_own_org on public.usage_logs;
create policy read_own_org on public.usage_logs for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.usage_logs;
create policy read_as_analyst on public.usage_logs for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.usage_logs from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.usage_logs to authenticated, spendai_analyst;
-- No insert, update or delete: a ledger that people can edit proves nothing.
