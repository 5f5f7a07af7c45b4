-- spend_months(months, known, filters, zone) → spend per month: this month and the ones before it, p_months in all, the oldest first
--
-- Months of the calendar of p_zone, also those without calls. partial: the month is not over. p_known: so many of the newest months
-- are left out, since the caller has them. unpriced_calls, no_usage_calls, in_doubt_calls: calls that are in no sum of costs, as
-- app.spend_totals counts them.
create or replace function app.spend_months(p_months integer, p_known integer, p_filters jsonb, p_zone text)
returns table (
    month date, partial boolean, calls bigint, cost numeric, unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint
)
language sql stable
set search_path = ''
as $$
    with period as (
        select (date_trunc('month', now() at time zone p_zone) - make_interval(months => p_months - 1)) at time zone p_zone as since,
            (date_trunc('month', now() at time zone p_zone) + make_interval(months => 1 - p_known)) at time zone p_zone as until
    ), months as (
        select (b.at at time zone p_zone)::date as month, b.place = p_months as partial
        from period p cross join unnest(app.bars(p.since, p.until, p_zone, 'month')) with ordinality b (at, place)
        where b.at < p.until
    )
    select m.month, m.partial, coalesce(s.calls, 0), coalesce(s.cost, 0),
        coalesce(s.unpriced_calls, 0), coalesce(s.no_usage_calls, 0), coalesce(s.in_doubt_calls, 0)
    from period p cross join months m
    left join app.sums(p.since, p.until, '{month}', p_filters, p_zone, null, '{calls,cost,unpriced_calls,no_usage_calls,in_doubt_calls}') s
        on s.day = m.month
    order by m.month
$$;

comment on function app.spend_months is 'Spend of the last months, one row each.';
revoke execute on function app.spend_months from public, anon, authenticated, service_role;
grant execute on function app.spend_months to authenticated;
