-- focus_dropped(organization, first day of a month) → corrections that were booked in the month (UTC), of calls that were dropped since:
-- dollars by the day of the calls
--
-- A dropped call no longer tells its project, key, tags and model. Which books it was in, the sums of its hour tell. Without
-- calls of months that are closed: what OpenAI billed counts for these.
create or replace function app.focus_dropped(p_org_id uuid, p_month date) returns table (day date, delta numeric)
language sql stable
set search_path = ''
set timezone = 'UTC'
as $$
    select a.call_started_at::date, sum(a.delta)
    from public.cost_adjustments a
    join public.organizations o on o.id = a.org_id
    where a.org_id = p_org_id and a.at >= p_month::timestamptz and a.at < p_month::timestamptz + interval '1 month'
      and date_trunc('month', a.call_started_at)::date in (select m from app.months_dropped() m)
      and (select c.status from public.month_closes c
           where c.org_id = p_org_id and c.month = date_trunc('month', a.call_started_at)::date order by c.n desc limit 1)
          is distinct from 'closed'
      and exists (select from public.hourly_totals h
                  where h.org_id = p_org_id and h.hour = date_trunc('hour', a.call_started_at) and h.upstream = o.books and h.calls > 0)
    group by 1
$$;

comment on function app.focus_dropped is 'Corrections booked in a month, of calls that were dropped since, by the day of the calls.';
-- No grant: part of focus_charges.
revoke execute on function app.focus_dropped from public, anon, authenticated, service_role;
