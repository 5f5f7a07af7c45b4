-- analyst_org_id() → organization of the SQL login that asks, or null
--
-- The policies of analysts stand on it. It goes by who logged in: unlike claims or the current role, no session can change
-- that. Analysts have no rights on schema app, so policies run it and nobody calls it by name.
create or replace function app.analyst_org_id() returns uuid
language sql stable security definer
set search_path = ''
as $$
    select a.org_id from private.analyst_logins a where a.role_name = session_user
$$;

comment on function app.analyst_org_id is 'Organization of the analyst''s login; null for everyone else.';
revoke execute on function app.analyst_org_id from public, anon, authenticated, service_role;
grant execute on function app.analyst_org_id to spendai_analyst;
