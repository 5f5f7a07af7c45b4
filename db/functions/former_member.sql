-- former_member() → whether the signed-in person ever left an organization or was removed from one
--
-- With an outside identity provider a new person gets an organization at the first request. Somebody who was removed is no new
-- person: the next request must not give them an organization of their own.
create or replace function app.former_member() returns boolean
language sql stable security definer
set search_path = ''
as $$
    select exists (select from public.audit_log a
        where a.subject_id = auth.uid() and a.action in ('member.left', 'member.removed'))
$$;

comment on function app.former_member is 'Whether the signed-in person ever left an organization or was removed from one.';
revoke execute on function app.former_member from public, anon, authenticated, service_role;
grant execute on function app.former_member to authenticated;
