-- key_list(project or null) → proxy keys with the name of their project, who made them, their state and their last use
--
-- state: active, revoked, expired, or archived (its project is); see app.key_page.
create or replace function app.key_list(p_project_id uuid)
returns table (
    id uuid, project_id uuid, project text, name text, prefix text, created_at timestamptz, created_by text,
    expires_at timestamptz, revoked_at timestamptz, rotated_from uuid, last_used_at timestamptz, state text, note text
)
language sql stable
set search_path = ''
as $$
    select k.id, k.project_id, k.project, k.name, k.prefix, k.created_at, k.created_by, k.expires_at, k.revoked_at, k.rotated_from,
        k.last_used_at, k.state, k.note
    from app.key_page(null, null, null, null,
        case when p_project_id is null then '{}' else jsonb_build_object('project', jsonb_build_array(p_project_id)) end,
        '', '-created_at', 0, null) k
$$;

comment on function app.key_list is 'Proxy keys of the caller''s organization, or of one of its projects, newest first.';
revoke execute on function app.key_list from public, anon, authenticated, service_role;
grant execute on function app.key_list to authenticated;
