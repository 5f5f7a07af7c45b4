-- current_org_id() → organization of the signed-in person, or null
--
-- Every policy for people compares with the result. security definer, because the policy of members calls this function,
-- which reads members: with the caller's rights that would recurse without end. Policies write `(select
-- app.current_org_id())`, so that it runs once per query and not once per row.
create or replace function app.current_org_id() returns uuid
language sql stable security definer
set search_path = ''
as $$
    select m.org_id from public.members m where m.user_id = auth.uid()
$$;

comment on function app.current_org_id is 'Organization of the signed-in person; null for somebody who belongs to none.';
revoke execute on function app.current_org_id from public, anon, authenticated, service_role;
grant execute on function app.current_org_id to authenticated;
