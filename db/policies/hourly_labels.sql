-- hourly_labels: members and analysts read those of their organization; only the triggers of usage_logs and cost_adjustments write
alter table public.hourly_labels enable row level security;
drop policy if exists read_own_org on public.hourly_labels;
create policy read_own_org on public.hourly_labels for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.hourly_labels;
create policy read_as_analyst on public.hourly_labels for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.hourly_labels from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.hourly_labels to authenticated, spendai_analyst;
-- No insert, update or delete: sums that people can edit would differ from their calls.
