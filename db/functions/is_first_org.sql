-- is_first_org() → whether the reader's organization is the installation's first one, which OPENAI_API_KEY serves
--
-- For members and analysts. An analyst can set claims but not the login, so the login is looked at first.
create or replace function app.is_first_org() returns boolean
language sql stable security definer
set search_path = ''
as $$
    select exists (select from private.install i
        where i.first_org_id = coalesce((select app.analyst_org_id()), (select app.current_org_id())))
$$;

comment on function app.is_first_org is 'Whether the reader''s organization is the first of the installation; for policies.';
revoke execute on function app.is_first_org from public, anon, authenticated, service_role;
grant execute on function app.is_first_org to authenticated, spendai_analyst;
