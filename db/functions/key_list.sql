-- key_list(project or null) → proxy keys with the name of their project, who made them, their state and their last use
--
-- Last use is the arrival of the key's newest call, found by the index on key and time, so that no call has to update its key.
-- state: active, revoked, expired, or archived (its project is).
create or replace function app.key_list(p_project_id uuid)
returns table (
    id uuid, project_id uuid, project text, name text, prefix text, created_at timestamptz, created_by text,
    expires_at timestamptz, revoked_at timestamptz, rotated_from uuid, last_used_at timestamptz, state text
)
language sql stable
set search_path = ''
as $$
    select k.id, k.project_id, p.name, k.name, k.prefix, k.created_at, m.email, k.expires_at, k.revoked_at, k.rotated_from,
           last.started_at,
           case when k.revoked_at is not null then 'revoked'
                when k.expires_at <= now() then 'expired'
                when p.archived_at is not null then 'archived'
                else 'active' end
    from public.api_keys k
    join public.projects p on p.id = k.project_id
    left join public.members m on m.user_id = k.created_by
    left join lateral (
        select u.started_at from public.usage_logs u where u.api_key_id = k.id and u.org_id = k.org_id
        order by u.started_at desc limit 1
    ) last on true
    where p_project_id is null or k.project_id = p_project_id
    order by k.created_at desc, k.id
$$;

comment on function app.key_list is 'Proxy keys of the caller''s organization, or of one of its projects, newest first.';
revoke execute on function app.key_list from public, anon, authenticated, service_role;
grant execute on function app.key_list to authenticated;
