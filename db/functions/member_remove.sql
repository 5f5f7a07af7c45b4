-- member_remove(person): an admin removes somebody, anybody leaves; the last admin cannot
--
-- Works on the person's very next statement: every policy asks members. Keys they made keep working; they belong to
-- projects, and the audit log says who made them.
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
    perform from public.members m where m.org_id = v_org and (m.role = 'admin' or m.user_id = p_user_id)
        order by m.user_id for update;
    if p_user_id is distinct from auth.uid() then
        perform app.require_admin();
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

comment on function app.member_remove is 'Takes a person out of the organization; the last admin stays.';
revoke execute on function app.member_remove from public, anon, authenticated, service_role;
grant execute on function app.member_remove to authenticated;
