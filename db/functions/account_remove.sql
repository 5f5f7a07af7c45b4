-- account_remove(person): deletes an account that SpendAI keeps, with its membership and sessions
--
-- For the person (account_delete), or without a signed-in person for the operator; the audit log tells which. Calls, keys and
-- the audit log stay: keys belong to projects, and are then shown as made by a former member. Raises PT409 last_admin.
create or replace function app.account_remove(p_user_id uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_org uuid;
    v_member public.members;
begin
    select m.org_id into v_org from public.members m where m.user_id = p_user_id;
    -- All admins are locked: two who leave at once must not both succeed.
    perform from public.members m where m.org_id = v_org and (m.role = 'admin' or m.user_id = p_user_id)
        order by m.user_id for update;
    select m.* into v_member from public.members m where m.user_id = p_user_id;
    if found then
        if v_member.role = 'admin' and not exists (
            select from public.members m where m.org_id = v_member.org_id and m.role = 'admin' and m.user_id <> p_user_id
        ) then
            raise sqlstate 'PT409' using message = 'an organization needs an admin', detail = 'last_admin',
                hint = 'Make somebody else an admin first';
        end if;
        perform app.audit(
            v_member.org_id, case when auth.uid() is null then 'member.account_removed' else 'member.account_deleted' end,
            p_user_id, jsonb_build_object('email', v_member.email));
    end if;
    perform local_auth.delete_user(p_user_id);
end $$;

comment on function app.account_remove is 'Deletes the account of a person; never that of an organization''s last admin.';
-- No grant: part of account_delete, and `flask users delete` calls it as the owner of the database.
revoke execute on function app.account_remove from public, anon, authenticated, service_role;
