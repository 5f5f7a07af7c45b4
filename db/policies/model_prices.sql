-- model_prices: members and analysts read the list prices and the prices of their own organization; nobody writes to the table
alter table public.model_prices enable row level security;
drop policy if exists read_list_and_own_org on public.model_prices;
create policy read_list_and_own_org on public.model_prices for select to authenticated
    using (org_id is null or org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.model_prices;
create policy read_as_analyst on public.model_prices for select to spendai_analyst
    using (org_id is null or org_id = (select app.analyst_org_id()));
revoke all on public.model_prices from public, anon, authenticated, service_role, spendai_analyst;
revoke all on sequence public.model_prices_id_seq from public, anon, authenticated, service_role;
grant select on public.model_prices to authenticated, spendai_analyst;
-- No insert: app.price_add checks who adds a price. No update or delete: prices are never changed (trigger append_only).
