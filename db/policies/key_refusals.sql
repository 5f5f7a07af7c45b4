-- key_refusals: members and analysts read those of their organization; only app.count_refusals writes
alter table public.key_refusals enable row level security;
drop policy if exists read_own_org on public.key_refusals;
create policy read_own_org on public.key_refusals for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.key_refusals;
create policy read_as_analyst on public.key_refusals for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.key_refusals from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.key_refusals to authenticated, spendai_analyst;
-- No insert, update or delete: a count that people can edit is none.
