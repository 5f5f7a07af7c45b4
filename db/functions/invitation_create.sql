-- invitation_create(e-mail, role, token hash) → the invitation
--
-- The answer is the same whether the address has an account or belongs to another organization: an admin must not be able to
-- find that out. p_token_hash: SHA-256 of the token in the link. Raises PT400 role_invalid, email_…; PT409 already_member.
create or replace function app.invitation_create(p_email text, p_role text, p_token_hash bytea)
returns table (id uuid, email text, role text, created_at timestamptz, expires_at timestamptz)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_org uuid := app.require_admin();
    v_email text := app.clean_email(p_email, 'email');
    v_inv public.invitations;
begin
    if p_role is null or p_role not in ('admin', 'developer') then
        raise sqlstate 'PT400' using message = 'a role is admin or developer', detail = 'role_invalid', column = 'role';
    end if;
    if exists (select from public.members m where m.org_id = v_org and m.email = v_email) then
        raise sqlstate 'PT409' using message = 'this person is a member already', detail = 'already_member', column = 'email';
    end if;
    -- Two invitations at once wait for each other here, so that the second also ends the first.
    perform from public.organizations o where o.id = v_org for no key update;
    -- A new link ends the one that is still open, which may have reached the wrong person.
    update public.invitations i set revoked_at = now()
    where i.org_id = v_org and i.email = v_email and i.accepted_at is null and i.revoked_at is null;
    insert into public.invitations (org_id, email, role, token_hash, created_by)
    values (v_org, v_email, p_role, p_token_hash, auth.uid()) returning * into v_inv;
    perform app.audit(v_org, 'invitation.created', v_inv.id, jsonb_build_object('email', v_email, 'role', p_role));
    return query select v_inv.id, v_inv.email, v_inv.role, v_inv.created_at, v_inv.expires_at;
end $$;

comment on function app.invitation_create is 'Invites an e-mail address into the admin''s organization for 7 days.';
revoke execute on function app.invitation_create from public, anon, authenticated, service_role;
grant execute on function app.invitation_create to authenticated;
