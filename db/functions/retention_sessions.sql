-- retention_sessions(first day of a month) → WebSocket sessions that go when the calls of this month (UTC) are dropped
--
-- A session goes with the last month that has something of it: its beginning or a call. So it is in one archive, also where an
-- earlier month stays longer than this one, or was dropped by a version that left its sessions.
create or replace function app.retention_sessions(p_month date) returns setof public.websocket_sessions
language sql stable
set search_path = ''
as $$
    with month as (
        select p_month::timestamp at time zone 'utc' as since, (p_month + interval '1 month') at time zone 'utc' as until
    )
    select s.* from month m join public.websocket_sessions s on s.started_at < m.until and s.deadline_at < now()
    where (s.started_at >= m.since or exists (
            select from private.dropped_months d where d.month = date_trunc('month', s.started_at at time zone 'utc')::date))
      and not exists (
            select from public.usage_logs u where u.org_id = s.org_id and u.session_id = s.id and u.started_at >= s.started_at
              and (u.started_at < m.since or u.started_at >= m.until))
$$;

comment on function app.retention_sessions is 'WebSocket sessions that are archived, and removed, with the calls of a month.';
-- No grant: for the operator, through flask retention.
revoke execute on function app.retention_sessions from public, anon, authenticated, service_role;
