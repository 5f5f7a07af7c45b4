-- month_closes: members and analysts read the closed months of their organization; only functions that close and reopen write, as owner
alter table public.month_closes enable row level security;
drop policy if exists read_own_org on public.month_closes;
create policy read_own_org on public.month_closes for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.month_closes;
create policy read_as_analyst on public.month_closes for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.month_closes from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.month_closes to authenticated, spendai_analyst;
-- No insert, update or delete: a closed month is frozen.
