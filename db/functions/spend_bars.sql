-- spend_bars(cells, from, to, zone, grain, top ids) → what the charts draw: one row per bar and series, bars without calls included
--
-- bar, bar_end: when the hour, day, week or month of p_zone begins and ends (see app.bars); none that are still to come. partial: `now`,
-- the bar still grows; `cut`, the period begins or ends within it; null, it is whole. good_calls: calls less error_calls.
-- unknown_calls: calls that are in no sum of costs.
-- p_top: ids of app.spend_breakdown, the biggest first. Each is a series (1, 2, …), all other ids together are series 0, and
-- series null is the whole bar.
create or replace function app.spend_bars(
    p_cells app.spend_cell[], p_from timestamptz, p_to timestamptz, p_zone text, p_grain text, p_top text[]
) returns table (
    bar timestamptz, bar_end timestamptz, partial text, series integer, calls bigint, good_calls bigint, error_calls bigint, cost numeric,
    tokens_uncached bigint, tokens_cached bigint, tokens_out bigint, tokens bigint, unknown_calls bigint
)
language sql stable
set search_path = ''
as $$
    with bars as (
        select b.at as bar, lead(b.at) over (order by b.at) as bar_end
        from unnest(app.bars(p_from, least(p_to, greatest(p_from, now()) + interval '1 microsecond'), p_zone, p_grain)) b (at)
    ), summed as (
        select c.bar, s.series,
            sum(c.calls) as calls, sum(c.error_calls) as error_calls, sum(c.cost) as cost,
            sum(c.tokens_in - c.tokens_cached) as tokens_uncached, sum(c.tokens_cached) as tokens_cached,
            sum(c.tokens_out) as tokens_out, sum(c.unpriced_calls + c.no_usage_calls + c.in_doubt_calls) as unknown_calls
        from unnest(p_cells) c
        cross join lateral (
            select null::integer as series where c.whole
            union all
            select coalesce(array_position(p_top, c.id), 0) where c.id is not null
        ) s
        where c.is_now
        group by 1, 2
    )
    select b.bar, b.bar_end,
        case when now() >= b.bar and now() < least(b.bar_end, p_to) then 'now' when b.bar < p_from or b.bar_end > p_to then 'cut' end,
        n.series, coalesce(s.calls, 0)::bigint, coalesce(s.calls - s.error_calls, 0)::bigint, coalesce(s.error_calls, 0)::bigint,
        coalesce(s.cost, 0), coalesce(s.tokens_uncached, 0)::bigint, coalesce(s.tokens_cached, 0)::bigint,
        coalesce(s.tokens_out, 0)::bigint, coalesce(s.tokens_uncached + s.tokens_cached + s.tokens_out, 0)::bigint,
        coalesce(s.unknown_calls, 0)::bigint
    from bars b
    cross join (select x.series from summed x union select null) n
    left join summed s on s.bar = b.bar and s.series is not distinct from n.series
    where b.bar_end is not null
    order by n.series, b.bar
$$;

comment on function app.spend_bars is
    'Spend, calls and tokens per hour, day, week or month and series for the charts, without gaps.';
-- Part of spend_report, which runs with the rights of its caller.
revoke execute on function app.spend_bars from public, anon, authenticated, service_role;
grant execute on function app.spend_bars to authenticated;
