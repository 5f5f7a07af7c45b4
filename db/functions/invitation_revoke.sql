-- invitation_revoke(invitation): ends an open invitation, so that its link stops working; PT404 when it is not open
create or replace function app.invitation_revoke(p_invitation_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_email text;
begin
    update public.invitations i set revoked_at = now()
    where i.id = p_invitation_id and i.org_id = v_org and i.accepted_at is null and i.revoked_at is null
    returning i.email into v_email;
    if not found then
        raise sqlstate 'PT404' using message = 'no such open invitation', detail = 'invitation_not_found';
    end if;
    perform app.audit(v_org, 'invitation.revoked', p_invitation_id, jsonb_build_object('email', v_email));
end $$;

comment on function app.invitation_revoke is 'Ends an open invitation of the admin''s organization.';
revoke execute on function app.invitation_revoke from public, anon, authenticated, service_role;
grant execute on function app.invitation_revoke to authenticated;
