-- months_ahead() → for how many months after this one usage_logs has a place, counted up to the first that is missing
create or replace function app.months_ahead() returns integer
language sql stable security definer
set search_path = ''
as $$
    select min(n) from generate_series(0, 100) n
    where to_regclass('private.usage_logs_' || to_char((now() at time zone 'utc') + make_interval(months => n + 1), 'YYYY_MM')) is null
$$;

comment on function app.months_ahead is 'Months of usage_logs made ahead.';
revoke execute on function app.months_ahead from public, anon, authenticated, service_role;
grant execute on function app.months_ahead to spendai_auth;
