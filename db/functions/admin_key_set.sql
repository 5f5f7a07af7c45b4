-- admin_key_set(ciphertext, last four, base URL) → last four characters, and when it was stored
--
-- Stores the OpenAI admin key of the organization, in place of the one before; the application has tried and encrypted it.
-- Raises PT409 demo_organization.
create or replace function app.admin_key_set(p_ciphertext bytea, p_last4 text, p_base_url text)
returns table (last4 text, updated_at timestamptz)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_org uuid := app.require_admin();
begin
    if exists (select from public.organizations o where o.id = v_org and o.is_demo) then
        raise sqlstate 'PT409' using message = 'the demo organization takes no admin key', detail = 'demo_organization';
    end if;
    return query
    insert into private.admin_keys as k (org_id, ciphertext, last4, base_url, updated_by)
    values (v_org, p_ciphertext, p_last4, p_base_url, auth.uid())
    on conflict (org_id) do update set ciphertext = excluded.ciphertext, last4 = excluded.last4, base_url = excluded.base_url,
        updated_at = clock_timestamp(), updated_by = excluded.updated_by
    returning k.last4, k.updated_at;
    perform app.audit(v_org, 'admin_key.set', null, jsonb_build_object('last4', p_last4, 'base_url', p_base_url));
end $$;

comment on function app.admin_key_set is 'Stores the OpenAI admin key of the admin''s organization; the application has encrypted it.';
revoke execute on function app.admin_key_set from public, anon, authenticated, service_role;
grant execute on function app.admin_key_set to authenticated;
