-- member_keys(user id) → the rows of app.key_overview whose keys this person made, also when they are no member any more
create or replace function app.member_keys(p_user_id uuid)
returns table (
    id uuid, project_id uuid, project text, name text, prefix text, created_at timestamptz, created_by text,
    expires_at timestamptz, revoked_at timestamptz, rotated_from uuid, last_used_at timestamptz, state text,
    calls bigint, cost numeric, was_rotated boolean, refused_today bigint
)
language sql stable
set search_path = ''
as $$
    select o.* from app.key_overview(null) o
    join public.api_keys k on k.id = o.id
    where k.created_by = p_user_id
    order by o.state <> 'active', o.created_at desc, o.id
$$;

comment on function app.member_keys is
    'Keys of the organization that one person made, with their calls and cost of the last 30 days; active ones first.';
revoke execute on function app.member_keys from public, anon, authenticated, service_role;
grant execute on function app.member_keys to authenticated;
