-- hourly_totals: members and analysts read those of their organization; only the triggers of usage_logs and cost_adjustments write
alter table public.hourly_totals enable row level security;
drop policy if exists read_own_org on public.hourly_totals;
create policy read_own_org on public.hourly_totals for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.hourly_totals;
create policy read_as_analyst on public.hourly_totals for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.hourly_totals from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.hourly_totals to authenticated, spendai_analyst;
-- No insert, update or delete: sums that people can edit would differ from their calls.
