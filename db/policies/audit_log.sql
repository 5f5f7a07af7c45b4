-- audit_log: admins read the lines of their organization; the functions that make a change write them
alter table public.audit_log enable row level security;
drop policy if exists read_as_admin on public.audit_log;
create policy read_as_admin on public.audit_log for select to authenticated
    using (org_id = (select app.admin_org_id()));
revoke all on public.audit_log from public, anon, authenticated, service_role;
grant select on public.audit_log to authenticated;
-- No insert, update or delete: a log that people could edit would prove nothing.
