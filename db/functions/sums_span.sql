-- sums_span() → the days between which the organization has anything to add up: so that an endless period has an end
--
-- first and until are a day away from the first and the last call or correction, and until is after now.
create or replace function app.sums_span() returns table (first timestamptz, until timestamptz)
language sql stable
set search_path = ''
set timezone = 'UTC'
set enable_sort = off  -- the first and the last entry of the primary key; another index would lead to all rows of the organization
as $$
    select least(t.first::timestamptz, o.first, now()) - interval '1 day', greatest(t.last::timestamptz, o.last, now()) + interval '2 days'
    from (
        select (select d.day from public.daily_totals d where d.org_id = o.id order by d.day limit 1) as first,
            (select d.day from public.daily_totals d where d.org_id = o.id order by d.day desc limit 1) as last
        from (select app.current_org_id() as id) o
    ) t
    cross join (select min(c.started_at) as first, max(c.started_at) as last from app.calls_open() c) o
$$;

comment on function app.sums_span is 'Moments before the first and after the last call of the organization. Part of app.sums.';
revoke execute on function app.sums_span from public, anon, authenticated, service_role;
grant execute on function app.sums_span to authenticated;
