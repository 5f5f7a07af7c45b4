-- calls_since() → the first day (UTC) from which on no calls were dropped: app.sums can read parts of hours from them
create or replace function app.calls_since() returns date
language sql stable security definer
set search_path = ''
as $$
    select coalesce((max(m.month) + interval '1 month')::date, '0001-01-01') from private.dropped_months m
$$;

comment on function app.calls_since is 'The first day, UTC, from which on usage_logs has every call.';
revoke execute on function app.calls_since from public, anon, authenticated, service_role;
grant execute on function app.calls_since to authenticated;
