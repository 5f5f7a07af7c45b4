-- key_revoke(key): refuses a key from the next call on, in every gateway; revoking it again is no error
create or replace function app.key_revoke(p_key_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_key public.api_keys;
begin
    update public.api_keys k set revoked_at = now(), revoked_by = auth.uid()
    where k.id = p_key_id and k.org_id = v_org and k.revoked_at is null returning * into v_key;
    if found then
        perform app.audit(v_org, 'key.revoked', v_key.id, jsonb_build_object('name', v_key.name, 'prefix', v_key.prefix));
    elsif not exists (select from public.api_keys k where k.id = p_key_id and k.org_id = v_org) then
        raise sqlstate 'PT404' using message = 'no such key', detail = 'key_not_found';
    end if;
end $$;

comment on function app.key_revoke is 'Ends a key of the admin''s organization for good.';
revoke execute on function app.key_revoke from public, anon, authenticated, service_role;
grant execute on function app.key_revoke to authenticated;
