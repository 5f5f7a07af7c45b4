-- reconciled_days: members and analysts read those of their organization; only app.reconcile_day writes, as owner
alter table public.reconciled_days enable row level security;
drop policy if exists read_own_org on public.reconciled_days;
create policy read_own_org on public.reconciled_days for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.reconciled_days;
create policy read_as_analyst on public.reconciled_days for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.reconciled_days from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.reconciled_days to authenticated, spendai_analyst;
-- No insert, update or delete: a comparison is computed, never typed in.
