-- admin_key_read(organization) → its encrypted OpenAI admin key, and whether a complete fetch with an admin key exists
--
-- For the process that fetches OpenAI's books: only the application has the keys to decrypt it.
create or replace function app.admin_key_read(p_org_id uuid)
returns table (ciphertext bytea, base_url text, fetched boolean)
language sql stable security definer
set search_path = ''
as $$
    select k.ciphertext, k.base_url,
        exists (select from public.openai_fetches f where f.org_id = k.org_id and f.source = 'api' and f.error is null)
    from private.admin_keys k where k.org_id = p_org_id
$$;

comment on function app.admin_key_read is 'The encrypted OpenAI admin key of an organization, for the role that reads provider keys too.';
revoke execute on function app.admin_key_read from public, anon, authenticated, service_role;
grant execute on function app.admin_key_read to spendai_proxy;
