-- audit(organization, action, subject, details): adds a line to the audit log, with the signed-in person as its actor
--
-- Without a signed-in person (the operator on the command line) the actor is null. p_details must hold no secret.
create or replace function app.audit(p_org_id uuid, p_action text, p_subject_id uuid, p_details jsonb) returns void
language sql
set search_path = ''
as $$
    insert into public.audit_log (org_id, actor_id, actor_email, action, subject_id, details)
    values (p_org_id, auth.uid(), (select m.email from public.members m where m.user_id = auth.uid()),
            p_action, p_subject_id, coalesce(p_details, '{}'))
$$;

comment on function app.audit is
    'Adds a line to the audit log: who did what; called by every function that changes something for a person.';
-- No grant: only the functions that make a change write its line.
revoke execute on function app.audit from public, anon, authenticated, service_role;
