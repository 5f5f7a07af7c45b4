-- invitation_list() → every invitation of the admin's organization, the newest first
--
-- state: open, accepted, revoked or expired.
create or replace function app.invitation_list()
returns table (
    id uuid, email text, role text, created_at timestamptz, expires_at timestamptz, accepted_at timestamptz,
    revoked_at timestamptz, state text
)
language sql stable
set search_path = ''
as $$
    select i.id, i.email, i.role, i.created_at, i.expires_at, i.accepted_at, i.revoked_at,
        case when i.accepted_at is not null then 'accepted' when i.revoked_at is not null then 'revoked'
             when i.expires_at <= now() then 'expired' else 'open' end
    from public.invitations i
    order by i.created_at desc, i.id
$$;

comment on function app.invitation_list is 'Invitations of the admin''s organization with their state.';
-- With the caller's own rights: row level security shows invitations to admins only.
revoke execute on function app.invitation_list from public, anon, authenticated, service_role;
grant execute on function app.invitation_list to authenticated;
