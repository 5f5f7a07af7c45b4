-- member_set_role(person, role): an admin makes a member admin or developer; the last admin stays admin
create or replace function app.member_set_role(p_user_id uuid, p_role text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_old text;
begin
    if p_role is null or p_role not in ('admin', 'developer') then
        raise sqlstate 'PT400' using message = 'a role is admin or developer', detail = 'role_invalid', column = 'role';
    end if;
    -- All admins are locked: two who demote each other at once must not both succeed.
    perform from public.members m where m.org_id = v_org and (m.role = 'admin' or m.user_id = p_user_id)
        order by m.user_id for update;
    perform app.require_admin();  -- again: the caller may have been demoted while waiting for the lock
    select m.role into v_old from public.members m where m.user_id = p_user_id and m.org_id = v_org;
    if not found then
        raise sqlstate 'PT404' using message = 'no such member', detail = 'member_not_found';
    end if;
    if p_role <> 'admin' and not exists (
        select from public.members m where m.org_id = v_org and m.role = 'admin' and m.user_id <> p_user_id
    ) then
        raise sqlstate 'PT409' using message = 'an organization needs an admin', detail = 'last_admin',
            hint = 'Make somebody else an admin first';
    end if;
    if v_old <> p_role then
        update public.members m set role = p_role where m.user_id = p_user_id and m.org_id = v_org;
        perform app.audit(v_org, 'member.role_changed', p_user_id, jsonb_build_object('from', v_old, 'to', p_role,
            'email', (select m.email from public.members m where m.user_id = p_user_id)));
    end if;
end $$;

comment on function app.member_set_role is
    'Changes the role of a member of the admin''s organization; the last admin stays admin.';
revoke execute on function app.member_set_role from public, anon, authenticated, service_role;
grant execute on function app.member_set_role to authenticated;
