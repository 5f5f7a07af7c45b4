-- require_admin() → organization of the signed-in admin; PT401 when nobody is signed in, PT403 for everyone else
create or replace function app.require_admin() returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
    v_org uuid := app.admin_org_id();
begin
    if v_org is not null then
        return v_org;
    end if;
    if auth.uid() is null then
        raise sqlstate 'PT401' using message = 'sign in first', detail = 'not_signed_in';
    end if;
    raise sqlstate 'PT403' using message = 'only an admin may do this', detail = 'admin_required';
end $$;

comment on function app.require_admin is 'Organization of the signed-in admin; raises PT401 or PT403 for everyone else.';
-- No grant: only other functions of schema app call it, with the rights of the owner.
revoke execute on function app.require_admin from public, anon, authenticated, service_role;
