-- last_30_days() → when the last 30 days began: 00:00 UTC of the day 29 days ago, for today is one of the 30
--
-- 24 hours 29 times instead of 29 days: Postgres counts days in the time zone of the session, where a day may have 23 hours.
create or replace function app.last_30_days() returns timestamptz
language sql stable parallel safe
set search_path = ''
as $$
    select date_trunc('day', now(), 'UTC') - 29 * interval '24 hours'
$$;

comment on function app.last_30_days is
    'Beginning of the last 30 UTC days, today included: the period of the overviews.';
revoke execute on function app.last_30_days from public, anon, authenticated, service_role;
grant execute on function app.last_30_days to authenticated;
