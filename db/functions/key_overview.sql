-- key_overview(project or null) → rows of app.key_list with calls and cost of each key in the last 30 days, today included
--
-- was_rotated: a newer key was made to replace this one. refused_today: calls since midnight UTC that were refused because of
-- the state of the key, so that some app still uses it.
create or replace function app.key_overview(p_project_id uuid)
returns table (
    id uuid, project_id uuid, project text, name text, prefix text, created_at timestamptz, created_by text,
    expires_at timestamptz, revoked_at timestamptz, rotated_from uuid, last_used_at timestamptz, state text,
    calls bigint, cost numeric, was_rotated boolean, refused_today bigint
)
language sql stable
set search_path = ''
as $$
    select k.*, coalesce(u.calls, 0), coalesce(u.cost, 0),
        exists (select from public.api_keys n where n.rotated_from = k.id),
        coalesce(r.calls, 0)
    from app.key_list(p_project_id) k
    left join app.usage(
        app.last_30_days(), 'infinity', '{key}',
        case when p_project_id is null then '{}' else jsonb_build_object('project', array[p_project_id]) end,
        'UTC'
    ) u on u.key_id = k.id
    left join public.key_refusals r on r.api_key_id = k.id and r.day = (now() at time zone 'utc')::date
    order by k.state <> 'active', k.created_at desc, k.id
$$;

comment on function app.key_overview is
    'Proxy keys of the organization or of one project with their calls and cost of the last 30 days; active keys first.';
revoke execute on function app.key_overview from public, anon, authenticated, service_role;
grant execute on function app.key_overview to authenticated;
