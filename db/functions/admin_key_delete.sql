-- admin_key_delete(): deletes the OpenAI admin key of the organization; what was fetched with it stays
create or replace function app.admin_key_delete() returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_last4 text;
begin
    delete from private.admin_keys k where k.org_id = v_org returning k.last4 into v_last4;
    if not found then
        raise sqlstate 'PT404' using message = 'no OpenAI admin key is stored', detail = 'admin_key_not_found';
    end if;
    perform app.audit(v_org, 'admin_key.deleted', null, jsonb_build_object('last4', v_last4));
end $$;

comment on function app.admin_key_delete is 'Deletes the OpenAI admin key of the admin''s organization.';
revoke execute on function app.admin_key_delete from public, anon, authenticated, service_role;
grant execute on function app.admin_key_delete to authenticated;
