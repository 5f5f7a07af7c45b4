-- invitation_peek(token hash) → what the invitation page shows before the person has signed in; no row unless the
-- invitation is open
create or replace function app.invitation_peek(p_token_hash bytea)
returns table (organization text, email text, role text, expires_at timestamptz)
language sql stable security definer
set search_path = ''
as $$
    select o.name, i.email, i.role, i.expires_at
    from public.invitations i join public.organizations o on o.id = i.org_id
    where i.token_hash = p_token_hash and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
$$;

comment on function app.invitation_peek is
    'Organization, e-mail address and role of an open invitation, for anybody who has its link.';
revoke execute on function app.invitation_peek from public, anon, authenticated, service_role;
grant execute on function app.invitation_peek to spendai_auth;
