-- months_ahead() → how many months after this one have their partition of usage_logs, counted up to the first that has none
create or replace function app.months_ahead() returns integer
language sql stable security definer
set search_path = ''
as $$
    select min(n) from generate_series(0, 100) n
    where to_regclass('private.usage_logs_' || to_char((now() at time zone 'utc') + make_interval(months => n + 1), 'YYYY_MM')) is null
$$;

comment on function app.months_ahead is 'How many coming months have a partition of usage_logs.';
revoke execute on function app.months_ahead from public, anon, authenticated, service_role;
grant execute on function app.months_ahead to spendai_auth;
