-- spend_bars(cells, from, to, top ids) → what the charts draw: one row per bar and series, days without calls included
--
-- A bar is a day; where the period has more than 92 days, a week (from Monday), as in app.spend_cells. days: 1 or 7. partial:
-- the bar has today in it, so it still grows. good_calls: calls less error_calls.
-- p_top: ids of app.spend_breakdown, the biggest first. Each is a series (1, 2, …), all other ids together are series 0, and
-- series null is the whole bar.
create or replace function app.spend_bars(p_cells app.spend_cell[], p_from timestamptz, p_to timestamptz, p_top text[])
returns table (
    bar date, days integer, partial boolean, series integer, calls bigint, good_calls bigint, error_calls bigint, cost numeric,
    tokens_uncached bigint, tokens_cached bigint, tokens_out bigint
)
language sql stable
set search_path = ''
as $$
    with unit as (
        select case when p_to - p_from > interval '92 days' then 7 else 1 end as days, (now() at time zone 'utc')::date as today
    ), bars as (
        select distinct case u.days when 7 then date_trunc('week', d.at)::date else d.at::date end as bar
        from unit u, generate_series((p_from at time zone 'utc')::date,
            least(u.today, ((p_to - interval '1 microsecond') at time zone 'utc')::date), interval '1 day') as d (at)
    ), summed as (
        select case u.days when 7 then date_trunc('week', c.day)::date else c.day end as bar, s.series,
            sum(c.calls) as calls, sum(c.error_calls) as error_calls, sum(c.cost) as cost,
            sum(c.tokens_in - c.tokens_cached) as tokens_uncached, sum(c.tokens_cached) as tokens_cached,
            sum(c.tokens_out) as tokens_out
        from unit u, unnest(p_cells) c
        cross join lateral (
            select null::integer as series where c.whole
            union all
            select coalesce(array_position(p_top, c.id), 0) where c.id is not null
        ) s
        where c.is_now
        group by 1, 2
    )
    select b.bar, u.days, u.today >= b.bar and u.today < b.bar + u.days, n.series,
        coalesce(s.calls, 0)::bigint, coalesce(s.calls - s.error_calls, 0)::bigint, coalesce(s.error_calls, 0)::bigint, coalesce(s.cost, 0),
        coalesce(s.tokens_uncached, 0)::bigint, coalesce(s.tokens_cached, 0)::bigint, coalesce(s.tokens_out, 0)::bigint
    from unit u, bars b
    cross join (select x.series from summed x union select null) n
    left join summed s on s.bar = b.bar and s.series is not distinct from n.series
    order by n.series, b.bar
$$;

comment on function app.spend_bars is
    'Spend, calls and tokens per day (or week) and series for the charts, without gaps.';
-- Part of spend_report, which runs with the rights of its caller.
revoke execute on function app.spend_bars from public, anon, authenticated, service_role;
grant execute on function app.spend_bars to authenticated;
