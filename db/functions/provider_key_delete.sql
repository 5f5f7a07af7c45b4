-- provider_key_delete(project or null): deletes the provider key of the organization (null) or of one of its projects
--
-- Its version ends, and stays in the history.
create or replace function app.provider_key_delete(p_project_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_last4 text;
begin
    perform from public.organizations o where o.id = v_org for no key update;  -- as in provider_key_set
    delete from private.provider_keys k where k.org_id = v_org and k.project_id is not distinct from p_project_id
    returning k.last4 into v_last4;
    if not found then
        raise sqlstate 'PT404' using message = 'no OpenAI key is stored', detail = 'provider_key_not_found';
    end if;
    update public.provider_key_versions v set until = clock_timestamp(), ended_by = auth.uid()
    where v.org_id = v_org and v.project_id is not distinct from p_project_id and v.until is null;
    perform app.audit(v_org, 'provider_key.deleted', p_project_id, jsonb_build_object('last4', v_last4));
end $$;

comment on function app.provider_key_delete is 'Deletes the OpenAI key of the admin''s organization or of one project.';
revoke execute on function app.provider_key_delete from public, anon, authenticated, service_role;
grant execute on function app.provider_key_delete to authenticated;
