-- member_overview() → members of the caller's organization, and how many keys each made that are not revoked
create or replace function app.member_overview()
returns table (user_id uuid, email text, role text, joined_at timestamptz, keys bigint)
language sql stable
set search_path = ''
as $$
    select m.user_id, m.email, m.role, m.joined_at,
        (select count(*) from public.api_keys k where k.org_id = m.org_id and k.created_by = m.user_id and k.revoked_at is null)
    from public.members m
    order by m.joined_at, m.email
$$;

comment on function app.member_overview is
    'Members of the organization, in the order in which they joined, and how many keys each made that are not revoked.';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.member_overview from public, anon, authenticated, service_role;
grant execute on function app.member_overview to authenticated;
