-- organization_rename(name): changes the name of the admin's organization
create or replace function app.organization_rename(p_name text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_name text := app.clean_name(p_name, 'name');
begin
    update public.organizations o set name = v_name where o.id = v_org and o.name <> v_name;
    if found then
        perform app.audit(v_org, 'organization.renamed', v_org, jsonb_build_object('name', v_name));
    end if;
end $$;

comment on function app.organization_rename is 'Renames the admin''s organization.';
revoke execute on function app.organization_rename from public, anon, authenticated, service_role;
grant execute on function app.organization_rename to authenticated;
