-- person_email(organization, person or null) → e-mail address of a member, or of a former member as the audit log has it; null: not known
create or replace function app.person_email(p_org_id uuid, p_user_id uuid) returns text
language sql stable
set search_path = ''
as $$
    select coalesce(
        (select m.email from public.members m where m.org_id = p_org_id and m.user_id = p_user_id),
        (select a.actor_email from public.audit_log a
         where a.org_id = p_org_id and a.actor_id = p_user_id and a.actor_email is not null order by a.at desc limit 1))
$$;

comment on function app.person_email is 'E-mail address of somebody who is or was a member of the organization.';
-- No grant: it reads the people of any organization.
revoke execute on function app.person_email from public, anon, authenticated, service_role;
