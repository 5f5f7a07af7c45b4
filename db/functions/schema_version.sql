-- schema_version() → the last migration that was applied, such as `db/migrations/0001_organizations.sql`
create or replace function app.schema_version() returns text
language sql stable security definer
set search_path = ''
as $$
    select max(f.path) from private.schema_files f where starts_with(f.path, 'db/migrations/')
$$;

comment on function app.schema_version is 'The last migration that was applied: older than a gateway''s own, or newer.';
revoke execute on function app.schema_version from public, anon, authenticated, service_role;
grant execute on function app.schema_version to spendai_auth;
