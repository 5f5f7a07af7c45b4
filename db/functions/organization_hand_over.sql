-- organization_hand_over(person) → e-mail address of the member who is an admin now; the calling admin becomes a developer
--
-- In one transaction, so that the organization always has an admin. Raises PT404 member_not_found, PT409 own_organization.
create or replace function app.organization_hand_over(p_user_id uuid) returns text
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_email text;
begin
    if p_user_id = auth.uid() then
        raise sqlstate 'PT409' using message = 'you are its admin already', detail = 'own_organization', column = 'member';
    end if;
    -- All admins are locked: two who hand over to each other at once must not both step down.
    perform from public.members m where m.org_id = v_org and (m.role = 'admin' or m.user_id = p_user_id)
        order by m.user_id for update;
    perform app.require_admin();  -- again: the caller may have been demoted while waiting for the lock
    update public.members m set role = 'admin' where m.org_id = v_org and m.user_id = p_user_id returning m.email into v_email;
    if not found then
        raise sqlstate 'PT404' using message = 'no such member', detail = 'member_not_found';
    end if;
    perform app.audit(v_org, 'organization.handed_over', p_user_id, jsonb_build_object('email', v_email));
    update public.members m set role = 'developer' where m.org_id = v_org and m.user_id = auth.uid();
    return v_email;
end $$;

comment on function app.organization_hand_over is 'Makes another member an admin and the calling admin a developer.';
revoke execute on function app.organization_hand_over from public, anon, authenticated, service_role;
grant execute on function app.organization_hand_over to authenticated;
