-- provider_key_list() → the provider keys stored for the caller's organization, of each only the last four characters
create or replace function app.provider_key_list()
returns table (project_id uuid, last4 text, base_url text, updated_at timestamptz)
language sql stable security definer
set search_path = ''
as $$
    select k.project_id, k.last4, k.base_url, k.updated_at from private.provider_keys k
    where k.org_id = (select app.current_org_id()) order by k.project_id nulls first
$$;

comment on function app.provider_key_list is
    'Which OpenAI keys are stored for the organization; nobody can read more than the last four characters of one.';
revoke execute on function app.provider_key_list from public, anon, authenticated, service_role;
grant execute on function app.provider_key_list to authenticated;
