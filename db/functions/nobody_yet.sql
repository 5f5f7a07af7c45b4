-- nobody_yet() → whether nobody has ever signed up to this installation
--
-- The log-in page greets the first person with it. Once there is an account or an organization it is false for good, so
-- strangers learn no more than that somebody uses the installation.
create or replace function app.nobody_yet() returns boolean
language sql stable security definer
set search_path = ''
as $$
    select not exists (select from auth.users) and not exists (select from private.install)
$$;

comment on function app.nobody_yet is 'Whether nobody has ever signed up to this installation.';
revoke execute on function app.nobody_yet from public, anon, authenticated, service_role;
grant execute on function app.nobody_yet to spendai_auth;
