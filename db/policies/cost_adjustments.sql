-- cost_adjustments: members and analysts read the corrections of their organization; only functions write, as owner
alter table public.cost_adjustments enable row level security;
drop policy if exists read_own_org on public.cost_adjustments;
create policy read_own_org on public.cost_adjustments for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.cost_adjustments;
create policy read_as_analyst on public.cost_adjustments for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.cost_adjustments from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.cost_adjustments to authenticated, spendai_analyst;
-- No insert, update or delete: a wrong correction is followed by another one.
