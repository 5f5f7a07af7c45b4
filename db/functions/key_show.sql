-- key_show(key id) → one key of the caller's organization with its project, or no row
--
-- state: see app.key_page. replaced_by: the key that was made to replace it.
create or replace function app.key_show(p_key_id uuid)
returns table (
    id uuid, name text, prefix text, project_id uuid, project text, note text, created_at timestamptz, created_by text,
    person_id uuid, expires_at timestamptz, revoked_at timestamptz, replaced_by uuid, last_used_at timestamptz, state text
)
language sql stable
set search_path = ''
as $$
    select k.id, k.name, k.prefix, k.project_id, k.project, k.note, k.created_at, k.created_by, k.person_id, k.expires_at, k.revoked_at,
        k.replaced_by, k.last_used_at, k.state
    from app.key_page(null, null, null, null, jsonb_build_object('key', jsonb_build_array(p_key_id)), '', '', 0, 1) k
$$;

comment on function app.key_show is 'One key with its project, who made it, its state and its last use.';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.key_show from public, anon, authenticated, service_role;
grant execute on function app.key_show to authenticated;
