-- invitation_accept(token hash) → the organization that the signed-in person has joined now, and the role there
--
-- The invitation must have this token and the caller's own confirmed e-mail address. A wrong token, a wrong address and an
-- expired invitation get the same error, so that a stolen or guessed link tells nothing. Somebody who signed up before
-- accepting already has an organization: if nothing was done in it (app.organization_untouched), it is deleted and the
-- person moves.
create or replace function app.invitation_accept(p_token_hash bytea) returns table (org_id uuid, name text, role text)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_uid uuid := auth.uid();
    v_email text;
    v_inv public.invitations;
    v_old uuid;
begin
    select lower(u.email) into v_email from auth.users u
    where u.id = v_uid and u.email_confirmed_at is not null and u.deleted_at is null and u.is_anonymous is not true;
    select * into v_inv from public.invitations i
    where i.token_hash = p_token_hash and i.email = v_email and i.accepted_at is null and i.revoked_at is null
      and i.expires_at > now() for update;
    if not found then
        raise sqlstate 'PT404' using message = 'this invitation is not valid', detail = 'invitation_invalid',
            hint = 'It may have expired, been used, or been made for another e-mail address';
    end if;

    insert into public.members as m (user_id, org_id, role, email) values (v_uid, v_inv.org_id, v_inv.role, v_email)
    on conflict (user_id) do nothing;
    if not found then
        -- The lock waits for ensure_organization, which may be making this membership at the same moment.
        select m.org_id into v_old from public.members m where m.user_id = v_uid for update;
        if v_old = v_inv.org_id then
            raise sqlstate 'PT409' using message = 'you are a member already', detail = 'already_member';
        elsif not app.organization_untouched(v_old, v_uid) then
            raise sqlstate 'PT409' using message = 'you belong to another organization already', detail = 'other_organization',
                hint = 'A person belongs to one organization; leave the other one first';
        end if;
        update public.members m set org_id = v_inv.org_id, role = v_inv.role where m.user_id = v_uid;
        delete from public.organizations o where o.id = v_old;
    end if;
    update public.invitations i set accepted_at = now(), accepted_by = v_uid where i.id = v_inv.id;
    perform app.audit(v_inv.org_id, 'member.joined', v_uid, jsonb_build_object('email', v_email, 'role', v_inv.role));
    return query select o.id, o.name, v_inv.role from public.organizations o where o.id = v_inv.org_id;
end $$;

comment on function app.invitation_accept is
    'The signed-in person joins the organization that invited their e-mail address.';
revoke execute on function app.invitation_accept from public, anon, authenticated, service_role;
grant execute on function app.invitation_accept to authenticated;
