-- openai_usage_lines: members and analysts read those of their organization; only app.books_store writes, as owner
alter table public.openai_usage_lines enable row level security;
drop policy if exists read_own_org on public.openai_usage_lines;
create policy read_own_org on public.openai_usage_lines for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.openai_usage_lines;
create policy read_as_analyst on public.openai_usage_lines for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.openai_usage_lines from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.openai_usage_lines to authenticated, spendai_analyst;
-- No insert, update or delete: a copy of OpenAI's books that can be edited is none.
