-- spend_months(months, filters) → spend per month: this month and the ones before it, p_months in all, the oldest first
--
-- Months without calls are included. partial: the month is not over.
create or replace function app.spend_months(p_months integer, p_filters jsonb)
returns table (
    month date, partial boolean, calls bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric, error_calls bigint
)
language sql stable
set search_path = ''
set timezone = 'UTC'  -- in a session's own time zone, adding a day may add 23 hours
as $$
    with months as (
        select m.at::date as month, (m.at + interval '1 month')::date as next
        from generate_series(date_trunc('month', now() at time zone 'utc') - make_interval(months => p_months - 1),
            now() at time zone 'utc', interval '1 month') m (at)
    ), summed as (
        select date_trunc('month', e.day)::date as month, sum(e.calls) as calls, sum(e.tokens_in) as tokens_in,
            sum(e.tokens_cached) as tokens_cached, sum(e.tokens_out) as tokens_out, sum(e.cost) as cost, sum(e.error_calls) as error_calls
        from app.sums(date_trunc('month', now(), 'UTC') - make_interval(months => p_months - 1),
            date_trunc('day', now(), 'UTC') + interval '1 day', '{day}', p_filters) e
        group by 1
    )
    select m.month, m.next > (now() at time zone 'utc')::date, coalesce(s.calls, 0)::bigint, coalesce(s.tokens_in, 0)::bigint,
        coalesce(s.tokens_cached, 0)::bigint, coalesce(s.tokens_out, 0)::bigint, coalesce(s.cost, 0), coalesce(s.error_calls, 0)::bigint
    from months m left join summed s on s.month = m.month
    order by m.month
$$;

comment on function app.spend_months is 'Spend of the last months, one row each.';
revoke execute on function app.spend_months from public, anon, authenticated, service_role;
grant execute on function app.spend_months to authenticated;
