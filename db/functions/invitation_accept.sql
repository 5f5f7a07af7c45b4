-- invitation_accept(token hash) → the organization joined
--
-- Both must fit: the token and the caller's own confirmed address. Every failure reads the same, so a stolen or guessed
-- link tells nothing. Somebody who signed up first and has an untouched organization of their own moves out of it.
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
        -- Locked before it is looked at: ensure_organization may be making it at this moment.
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

comment on function app.invitation_accept is 'The signed-in person joins the organization that invited their address.';
revoke execute on function app.invitation_accept from public, anon, authenticated, service_role;
grant execute on function app.invitation_accept to authenticated;
