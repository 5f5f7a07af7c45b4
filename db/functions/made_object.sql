-- made_object(organization, account, object, fingerprint, base URL) → whether a call of the organization made the object
--
-- Only with the OpenAI key of this fingerprint, sent to this base URL: another server could answer with any id. So the first
-- organization with an OpenAI key still reaches what it made before another organization stored the same key. What was made since
-- is not known: on a shared key no object is remembered, because each organization could claim an object of the other.
--
-- p_account: as in private.upstream_objects; of account install, which organizations cannot direct to a server of their own, the base
-- URL is not compared.
create or replace function app.made_object(
    p_org_id uuid, p_account text, p_object_id text, p_fingerprint bytea, p_base_url text
) returns boolean
language sql stable
set search_path = ''
as $$
    select exists (
        select from private.upstream_objects o
        join public.usage_logs u on u.id = o.call_id and u.started_at = o.started_at
        join public.provider_key_versions v on v.id = u.provider_key_id
        where o.upstream_account = p_account and o.object_id = p_object_id and o.org_id = p_org_id
          and v.fingerprint = p_fingerprint and (p_account = 'install' or v.base_url is not distinct from p_base_url)
    )
$$;

comment on function app.made_object is 'Whether a call of the organization made an object at OpenAI, with the same OpenAI key.';
-- No grant: part of open_calls.
revoke execute on function app.made_object from public, anon, authenticated, service_role;
