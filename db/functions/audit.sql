-- audit(...): one line of the audit log, by the signed-in person
create or replace function app.audit(p_org_id uuid, p_action text, p_subject_id uuid, p_details jsonb) returns void
language sql
set search_path = ''
as $$
    insert into public.audit_log (org_id, actor_id, actor_email, action, subject_id, details)
    values (p_org_id, auth.uid(), (select m.email from public.members m where m.user_id = auth.uid()),
            p_action, p_subject_id, coalesce(p_details, '{}'))
$$;

comment on function app.audit is 'Writes down who did what; part of every function that changes something.';
-- No grant: only functions that make the change write the line.
revoke execute on function app.audit from public, anon, authenticated, service_role;
