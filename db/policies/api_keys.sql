-- api_keys: members and analysts read the keys of their organization; nobody reads a hash
alter table public.api_keys enable row level security;
drop policy if exists read_own_org on public.api_keys;
create policy read_own_org on public.api_keys for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.api_keys;
create policy read_as_analyst on public.api_keys for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.api_keys from public, anon, authenticated, service_role, spendai_analyst;
grant select (id, org_id, project_id, name, prefix, created_at, created_by, expires_at, revoked_at, revoked_by, rotated_from,
        note)
    on public.api_keys to authenticated, spendai_analyst;
-- No delete for anyone: a key is revoked instead, because calls refer to it.
