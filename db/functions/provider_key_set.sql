-- provider_key_set(project or null, ciphertext, last four, base URL, fingerprint, confirmed) → last four characters, and when it was
-- stored
--
-- Stores the provider key of the organization (null) or of one project, in place of the one before: the version of that one ends, and
-- this key is a version of its own, under a new id. p_fingerprint: HMAC of the key, equal for
-- equal keys. From now on calls cost real money: the books of the organization become openai, for good.
--
-- A key that another organization of the install uses is stored only with p_confirmed, since from then on neither organization can use
-- what OpenAI keeps between calls (see open_calls). Nothing says which organization it is. The install's own key counts as another
-- organization's, unless it serves this organization alone. Keys stored without a fingerprint cannot be compared.
-- Raises PT404 project_not_found, PT409 demo_organization, PT409 key_in_use.
create or replace function app.provider_key_set(
    p_project_id uuid, p_ciphertext bytea, p_last4 text, p_base_url text, p_fingerprint bytea,
    p_confirmed boolean
)
returns table (last4 text, updated_at timestamptz)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_org uuid := app.require_admin();
    v_id uuid;
    v_key private.provider_keys;
begin
    if p_project_id is not null and not exists (
        select from public.projects p where p.id = p_project_id and p.org_id = v_org
    ) then
        raise sqlstate 'PT404' using message = 'no such project', detail = 'project_not_found';
    end if;
    if exists (select from public.organizations o where o.id = v_org and o.is_demo) then
        raise sqlstate 'PT409' using message = 'the demo organization always uses the sandbox', detail = 'demo_organization';
    end if;
    if not p_confirmed and (exists (
        select from private.provider_keys k where k.fingerprint = p_fingerprint and k.org_id <> v_org
    ) or exists (
        select from public.provider_key_versions v
        where v.org_id is null and v.until is null and v.fingerprint = p_fingerprint and (v.shared or not app.is_first_org())
    )) then
        raise sqlstate 'PT409' using message = 'another organization on this install already uses this OpenAI key', detail = 'key_in_use',
            hint = 'Stored here too, it lets neither organization use files, batches, background responses and other objects that'
                || ' OpenAI keeps. Use a key of another OpenAI project, or confirm (in the API: "confirm_shared": true)', column = 'key';
    end if;
    -- Two admins at once: the second one waits here, so that only one version is current.
    perform from public.organizations o where o.id = v_org for no key update;
    update public.provider_key_versions v set until = clock_timestamp(), ended_by = auth.uid()
    where v.org_id = v_org and v.project_id is not distinct from p_project_id and v.until is null;
    insert into public.provider_key_versions as v (org_id, project_id, last4, fingerprint, base_url, stored_by)
    values (v_org, p_project_id, p_last4, p_fingerprint, p_base_url, auth.uid())
    returning v.id into v_id;
    insert into private.provider_keys as k (id, org_id, project_id, ciphertext, last4, base_url, fingerprint, updated_by)
    values (v_id, v_org, p_project_id, p_ciphertext, p_last4, p_base_url, p_fingerprint, auth.uid())
    on conflict (org_id, project_id) do update set id = excluded.id, ciphertext = excluded.ciphertext, last4 = excluded.last4,
        base_url = excluded.base_url, fingerprint = excluded.fingerprint, updated_at = now(), updated_by = excluded.updated_by
    returning k.* into v_key;
    update public.organizations o set books = 'openai' where o.id = v_org and o.books <> 'openai';
    perform app.audit(v_org, 'provider_key.set', p_project_id, jsonb_build_object('last4', p_last4, 'base_url', p_base_url));
    return query select v_key.last4, v_key.updated_at;
end $$;

comment on function app.provider_key_set is
    'Stores the OpenAI key of the admin''s organization or of one project; the application has encrypted it.';
revoke execute on function app.provider_key_set from public, anon, authenticated, service_role;
grant execute on function app.provider_key_set to authenticated;
