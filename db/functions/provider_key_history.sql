-- provider_key_history() → every version of the organization's provider keys, and of the install's key where it serves the
-- organization; the latest first
--
-- install: it is the install's own key. Its base URL is the operator's and not told.
create or replace function app.provider_key_history()
returns table (
    id uuid, project_id uuid, project text, install boolean, last4 text, base_url text, since timestamptz, until timestamptz
)
language sql stable security definer
set search_path = ''
as $$
    select v.id, v.project_id, p.name, v.org_id is null, v.last4, case when v.org_id is not null then v.base_url end, v.since, v.until
    from public.provider_key_versions v
    left join public.projects p on p.id = v.project_id
    -- Row security does not apply to the owner: the condition of policies/provider_key_versions.sql once more.
    where v.org_id = (select app.current_org_id())
       or v.org_id is null and (v.shared and (select app.current_org_id()) is not null or (select app.is_first_org()))
    order by v.since desc, v.id
$$;

comment on function app.provider_key_history is 'Versions of the provider keys that serve or served the organization.';
revoke execute on function app.provider_key_history from public, anon, authenticated, service_role;
grant execute on function app.provider_key_history to authenticated;
