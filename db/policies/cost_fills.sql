-- cost_fills: members and analysts read the fills of their organization; only app.fill_call writes, as owner
alter table public.cost_fills enable row level security;
drop policy if exists read_own_org on public.cost_fills;
create policy read_own_org on public.cost_fills for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.cost_fills;
create policy read_as_analyst on public.cost_fills for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.cost_fills from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.cost_fills to authenticated, spendai_analyst;
-- No insert, update or delete: a record of fills that people could edit would prove nothing.
