-- install_key_version(shared, fingerprint, last four, base URL) → id of the current version of the installation's own OpenAI key
--
-- A gateway calls it with each new connection, so that open_calls can name the version. A key, base URL or reach (p_shared: it
-- serves every organization) that differs from the current version ends that one and makes another. Null fingerprint: the
-- installation has no key; ends the version, returns null.
create or replace function app.install_key_version(p_shared boolean, p_fingerprint bytea, p_last4 text, p_base_url text)
returns uuid
language plpgsql security definer
set search_path = ''
as $$
declare
    v_id uuid;
begin
    loop  -- again when another gateway made a version at the same moment
        select v.id into v_id from public.provider_key_versions v
        where v.org_id is null and v.until is null
          and (v.fingerprint, v.shared, v.base_url) = (p_fingerprint, p_shared, p_base_url);
        exit when found;
        update public.provider_key_versions v set until = clock_timestamp()
        where v.org_id is null and v.until is null
          and (v.fingerprint, v.shared, v.base_url) is distinct from (p_fingerprint, p_shared, p_base_url);
        exit when p_fingerprint is null;
        insert into public.provider_key_versions (shared, fingerprint, last4, base_url)
        values (p_shared, p_fingerprint, p_last4, p_base_url)
        on conflict do nothing
        returning id into v_id;
        exit when found;
    end loop;
    return v_id;
end $$;

comment on function app.install_key_version is
    'Records which OpenAI key of its own the installation uses; returns the version, or null without a key.';
revoke execute on function app.install_key_version from public, anon, authenticated, service_role;
grant execute on function app.install_key_version to spendai_proxy;
