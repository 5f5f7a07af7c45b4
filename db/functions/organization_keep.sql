-- organization_keep(): takes the deletion of the admin's organization back
create or replace function app.organization_keep() returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
begin
    update public.organizations o set deletes_at = null where o.id = v_org and o.deletes_at is not null;
    if found then
        perform app.audit(v_org, 'organization.deletion_undone', v_org, '{}');
    end if;
end $$;

comment on function app.organization_keep is 'Takes the deletion of the admin''s organization back.';
revoke execute on function app.organization_keep from public, anon, authenticated, service_role;
grant execute on function app.organization_keep to authenticated;
