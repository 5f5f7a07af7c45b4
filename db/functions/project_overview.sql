-- project_overview() → projects with the number of active keys, and calls and cost of the last 30 days, today included
--
-- share: part of the cost of all projects, 0 to 1.
create or replace function app.project_overview()
returns table (
    id uuid, name text, created_at timestamptz, archived_at timestamptz,
    active_keys bigint, calls bigint, cost numeric, share numeric
)
language sql stable
set search_path = ''
as $$
    select p.id, p.name, p.created_at, p.archived_at,
        (select count(*) from public.api_keys k where k.project_id = p.id and k.org_id = p.org_id and k.revoked_at is null
            and (k.expires_at is null or k.expires_at > now()) and p.archived_at is null),
        coalesce(u.calls, 0), coalesce(u.cost, 0), coalesce(u.cost / nullif(sum(u.cost) over (), 0), 0)
    from public.projects p
    left join app.usage(app.last_30_days(), 'infinity', '{project}', '{}', 'UTC') u on u.project_id = p.id
    order by p.archived_at is not null, coalesce(u.cost, 0) desc, lower(p.name), p.id
$$;

comment on function app.project_overview is
    'Projects of the organization with active keys, calls and cost of the last 30 days; the highest cost first, archived ones last.';
revoke execute on function app.project_overview from public, anon, authenticated, service_role;
grant execute on function app.project_overview to authenticated;
