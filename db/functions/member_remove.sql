-- member_remove(person): an admin removes a member, or a member leaves; the last admin can do neither to themselves
--
-- The person's next statement already finds no row, because every policy looks at members. Keys that the person made keep
-- working: they belong to a project. The audit log says who made them. Raises PT404 member_not_found, PT409 last_admin.
create or replace function app.member_remove(p_user_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.current_org_id();
    v_email text;
begin
    if p_user_id is distinct from auth.uid() then
        v_org := app.require_admin();
    end if;
    -- All admins are locked: two who leave or remove each other at once must not both succeed.
    perform from public.members m where m.org_id = v_org and (m.role = 'admin' or m.user_id = p_user_id)
        order by m.user_id for update;
    if p_user_id is distinct from auth.uid() then
        perform app.require_admin();  -- again: the caller may have been demoted while waiting for the lock
    end if;
    if not exists (select from public.members m where m.org_id = v_org and m.user_id = p_user_id) then
        raise sqlstate 'PT404' using message = 'no such member', detail = 'member_not_found';
    end if;
    if not exists (
        select from public.members m where m.org_id = v_org and m.role = 'admin' and m.user_id <> p_user_id
    ) then
        raise sqlstate 'PT409' using message = 'an organization needs an admin', detail = 'last_admin',
            hint = 'Make somebody else an admin first';
    end if;
    select m.email into v_email from public.members m where m.user_id = p_user_id;
    perform app.audit(v_org, case when p_user_id = auth.uid() then 'member.left' else 'member.removed' end,
                      p_user_id, jsonb_build_object('email', v_email));
    delete from public.members m where m.user_id = p_user_id and m.org_id = v_org;
end $$;

comment on function app.member_remove is 'Removes a person from the organization; never its last admin.';
revoke execute on function app.member_remove from public, anon, authenticated, service_role;
grant execute on function app.member_remove to authenticated;
