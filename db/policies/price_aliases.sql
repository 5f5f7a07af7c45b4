-- price_aliases: members and analysts read all rows; nobody writes to the table but flask migrate and flask prices sync
alter table public.price_aliases enable row level security;
drop policy if exists read_all on public.price_aliases;
create policy read_all on public.price_aliases for select to authenticated, spendai_analyst using (true);
revoke all on public.price_aliases from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.price_aliases to authenticated, spendai_analyst;
-- No insert, update or delete: an alias decides what every organization pays.
