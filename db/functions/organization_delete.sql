-- organization_delete(name) → when the organization is removed at the earliest: 7 days from now
--
-- p_name: its name, typed by the admin. Nothing else changes until then: a company's applications must not stop by a mistake of
-- one person, so keys keep working and any admin can take it back (app.organization_keep). Then app.organization_purge removes
-- it. Asked again, the first answer stays. Raises PT400 name_wrong.
create or replace function app.organization_delete(p_name text) returns timestamptz
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_at timestamptz;
begin
    select o.deletes_at into v_at from public.organizations o
    where o.id = v_org and o.name = btrim(p_name) for no key update;
    if not found then
        raise sqlstate 'PT400' using message = 'this is not the name of the organization', detail = 'name_wrong', column = 'name';
    end if;
    if v_at is null then
        v_at := now() + interval '7 days';
        update public.organizations o set deletes_at = v_at where o.id = v_org;
        perform app.audit(v_org, 'organization.deletion_asked', v_org,
                          jsonb_build_object('deletes_at', to_char(v_at at time zone 'utc', 'YYYY-MM-DD HH24:MI')));
    end if;
    return v_at;
end $$;

comment on function app.organization_delete is 'Has the admin''s organization removed after 7 days, until when that can be taken back.';
revoke execute on function app.organization_delete from public, anon, authenticated, service_role;
grant execute on function app.organization_delete to authenticated;
