-- caller_of(key hash, install key, its fingerprint) → whose proxy key it is, where its calls go, and with which OpenAI key
--
-- key_id: null when there is no such key. upstream: openai, sandbox, or null when no OpenAI key serves the organization. is_own: whether
-- the OpenAI key is stored by the organization; ciphertext, fingerprint, base_url and provider_project_id are of that one then. shared:
-- whether other organizations use the same OpenAI key, or may. version: of the OpenAI key (provider_key_versions), of the install's own
-- key too. Part of open_calls, which explains p_install_key and p_install_fingerprint.
create or replace function app.caller_of(
    p_key_hash text, p_install_key text, p_install_fingerprint bytea,
    out key_id uuid, out org_id uuid, out project_id uuid, out revoked_at timestamptz, out expires_at timestamptz,
    out archived_at timestamptz, out metadata_tags boolean, out upstream text, out is_own boolean, out ciphertext bytea,
    out fingerprint bytea, out base_url text, out provider_project_id uuid, out shared boolean, out version uuid
)
language plpgsql stable
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_demo boolean;
    v_books text;
    v_first boolean := false;  -- whether the install's own OpenAI key serves only the first organization, and this is it
begin
    select k.id, k.org_id, k.project_id, k.revoked_at, k.expires_at, p.archived_at, p.metadata_tags, o.is_demo, o.books
    into key_id, org_id, project_id, revoked_at, expires_at, archived_at, metadata_tags, v_demo, v_books
    from public.api_keys k
    join public.projects p on p.id = k.project_id
    join public.organizations o on o.id = k.org_id
    where k.key_hash = decode(p_key_hash, 'hex');
    if not found then
        return;
    end if;
    is_own := false;
    if not v_demo then
        select pk.id, pk.ciphertext, pk.project_id, pk.base_url, pk.fingerprint
        into version, ciphertext, provider_project_id, base_url, fingerprint
        from private.provider_keys pk
        where pk.org_id = caller_of.org_id and (pk.project_id = caller_of.project_id or pk.project_id is null)
        order by pk.project_id nulls last limit 1;
        is_own := found;
    end if;
    if p_install_key = 'first' then
        v_first := exists (select from private.install i where i.first_org_id = caller_of.org_id);
    end if;
    upstream := case
        when is_own then 'openai'
        when v_demo then 'sandbox'
        when p_install_key = 'shared' or v_first then 'openai'
        -- An organization whose books are real money never gets answers of the sandbox.
        when v_books = 'sandbox' then 'sandbox'
    end;
    shared := false;
    if upstream = 'openai' then
        shared := not is_own and p_install_key = 'shared'
            or is_own and fingerprint is null  -- others may use it too
            or coalesce(is_own and fingerprint = p_install_fingerprint and not v_first, false);
        if not shared then
            shared := exists (
                select from private.provider_keys pk
                where pk.fingerprint = coalesce(caller_of.fingerprint, p_install_fingerprint) and pk.org_id <> caller_of.org_id);
        end if;
        if not is_own then
            version := (select v.id from public.provider_key_versions v
                where v.org_id is null and v.fingerprint = p_install_fingerprint order by v.since desc limit 1);
        end if;
    end if;
end $$;

comment on function app.caller_of is 'Whose proxy key it is, where its calls go and with which OpenAI key; part of open_calls.';
-- No grant: part of open_calls.
revoke execute on function app.caller_of from public, anon, authenticated, service_role;
