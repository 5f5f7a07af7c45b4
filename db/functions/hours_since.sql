-- hours_since() → the first day (UTC) from which on the sums per hour have every hour
--
-- Calls that retention had dropped before sums were kept per hour are in the sums per day only. Where none were dropped: the first
-- day of all.
create or replace function app.hours_since() returns date
language sql stable security definer
set search_path = ''
as $$
    select coalesce((max(m.month) + interval '1 month')::date, '0001-01-01') from private.dropped_months m where not m.has_hours
$$;

comment on function app.hours_since is 'The first day, UTC, from which on hourly_totals and hourly_labels have every hour.';
revoke execute on function app.hours_since from public, anon, authenticated, service_role;
grant execute on function app.hours_since to authenticated;
