-- key_link_set(provider key version, OpenAI's key) → id of the link: says which key of OpenAI's list a provider key is
--
-- Ends the link that the provider key had. The same link once more changes nothing. Not for the install's key while several
-- organizations share it: OpenAI's lines of that key are of all of them.
-- Raises PT404 provider_key_not_found, PT404 openai_key_not_found.
create or replace function app.key_link_set(p_version_id uuid, p_openai_key_id text) returns uuid
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_last4 text;
    v_id uuid;
begin
    -- Two admins at once: the second one waits here, so that only one link holds.
    perform from public.organizations o where o.id = v_org for no key update;
    select v.last4 into v_last4 from public.provider_key_versions v
    where v.id = p_version_id and (v.org_id = v_org or v.org_id is null and not v.shared and app.is_first_org());
    if not found then
        raise sqlstate 'PT404' using message = 'no such OpenAI key of this organization', detail = 'provider_key_not_found';
    elsif not exists (select from public.openai_keys k where k.org_id = v_org and k.id = p_openai_key_id) then
        raise sqlstate 'PT404' using message = 'no such key in OpenAI''s list', detail = 'openai_key_not_found';
    end if;
    select l.id into v_id from public.key_links l
    where l.org_id = v_org and l.version_id = p_version_id and l.ended_at is null and l.openai_key_id = p_openai_key_id;
    if found then
        return v_id;
    end if;
    update public.key_links l set ended_at = clock_timestamp(), ended_by = auth.uid()
    where l.org_id = v_org and l.version_id = p_version_id and l.ended_at is null;
    insert into public.key_links (org_id, version_id, openai_key_id, how, linked_by)
    values (v_org, p_version_id, p_openai_key_id, 'admin', auth.uid())
    returning id into v_id;
    perform app.audit(v_org, 'key_link.set', p_version_id,
        jsonb_build_object('last4', v_last4, 'openai_key_id', p_openai_key_id, 'how', 'admin'));
    return v_id;
end $$;

comment on function app.key_link_set is 'An admin says which key of OpenAI''s list a provider key is; leaves a line in the audit log.';
revoke execute on function app.key_link_set from public, anon, authenticated, service_role;
grant execute on function app.key_link_set to authenticated;
