-- former_member() → whether the caller has left an organization or was removed from one
--
-- Somebody new gets an organization with the first request; somebody who was removed must not get one by going on asking.
create or replace function app.former_member() returns boolean
language sql stable security definer
set search_path = ''
as $$
    select exists (select from public.audit_log a
        where a.subject_id = auth.uid() and a.action in ('member.left', 'member.removed'))
$$;

comment on function app.former_member is 'Whether the signed-in person once belonged to an organization and does no more.';
revoke execute on function app.former_member from public, anon, authenticated, service_role;
grant execute on function app.former_member to authenticated;
