-- current_org_id() → organization of the signed-in person, or null
--
-- Every policy stands on it. Definer, because a policy on members that asked members would never end; stable and called
-- as `(select app.current_org_id())`, so it runs once per query.
create or replace function app.current_org_id() returns uuid
language sql stable security definer
set search_path = ''
as $$
    select m.org_id from public.members m where m.user_id = auth.uid()
$$;

comment on function app.current_org_id is 'Organization of the signed-in person; null for strangers.';
revoke execute on function app.current_org_id from public, anon, authenticated, service_role;
grant execute on function app.current_org_id to authenticated;
