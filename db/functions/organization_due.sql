-- organization_due(organization) → whether its seven days have passed, so that its rows may be removed
--
-- The guards of append-only tables let a row go only then (private.refuse_change and others); app.organization_delete sets the
-- moment, and app.organization_keep takes it back.
create or replace function app.organization_due(p_org_id uuid) returns boolean
language sql stable
set search_path = ''
as $$
    select exists (select from public.organizations o where o.id = p_org_id and o.deletes_at <= now())
$$;

comment on function app.organization_due is 'Whether an organization is to be removed now.';
-- No grant: part of guards and of organization_purge.
revoke execute on function app.organization_due from public, anon, authenticated, service_role;
