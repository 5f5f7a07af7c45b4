-- analyst_org_id() → organization of the analyst whose SQL login this session has, or null
--
-- Every policy for analysts compares with the result. It looks at session_user, the role that logged in, because a session
-- can change its claims and its current role but not that one. Analysts have no rights on schema app: only policies run it
-- for them.
create or replace function app.analyst_org_id() returns uuid
language sql stable security definer
set search_path = ''
as $$
    select a.org_id from private.analyst_logins a where a.role_name = session_user
$$;

comment on function app.analyst_org_id is 'Organization of the analyst who logged in; null for every other login.';
revoke execute on function app.analyst_org_id from public, anon, authenticated, service_role;
grant execute on function app.analyst_org_id to spendai_analyst;
