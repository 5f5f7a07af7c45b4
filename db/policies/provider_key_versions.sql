-- provider_key_versions: members and analysts read the versions of their organization, and those of the install's key where it
-- serves them (all organizations while shared, else the first one)
alter table public.provider_key_versions enable row level security;
drop policy if exists read_own_org on public.provider_key_versions;
create policy read_own_org on public.provider_key_versions for select to authenticated
    using (org_id = (select app.current_org_id())
        or org_id is null and (shared and (select app.current_org_id()) is not null or (select app.is_first_org())));
drop policy if exists read_as_analyst on public.provider_key_versions;
create policy read_as_analyst on public.provider_key_versions for select to spendai_analyst
    using (org_id = (select app.analyst_org_id())
        or org_id is null and (shared and (select app.analyst_org_id()) is not null or (select app.is_first_org())));
revoke all on public.provider_key_versions from public, anon, authenticated, service_role, spendai_analyst;
-- Not base_url, which for the install's key is an address of the operator's: app.provider_key_history tells the organization's
-- own. Not fingerprint, and not who stored or ended it, which the audit log tells admins.
grant select (id, org_id, project_id, shared, last4, since, until) on public.provider_key_versions to authenticated, spendai_analyst;
-- No insert, update or delete: only the functions that store, replace or delete a key write, as owner.
