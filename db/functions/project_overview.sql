-- project_overview() → projects with the number of active keys; archived ones last
create or replace function app.project_overview()
returns table (id uuid, name text, created_at timestamptz, archived_at timestamptz, active_keys bigint)
language sql stable
set search_path = ''
as $$
    select p.id, p.name, p.created_at, p.archived_at,
        (select count(*) from public.api_keys k where k.project_id = p.id and k.org_id = p.org_id and k.revoked_at is null
            and (k.expires_at is null or k.expires_at > now()) and p.archived_at is null)
    from public.projects p
    order by p.archived_at is not null, lower(p.name), p.id
$$;

comment on function app.project_overview is 'Projects of the organization with their number of active keys; archived ones last.';
revoke execute on function app.project_overview from public, anon, authenticated, service_role;
grant execute on function app.project_overview to authenticated;
