-- spend_bars(from, to, by, filters, top ids) → what the charts draw: one row per day and series, empty days included
--
-- p_top: ids of app.spend_breakdown, biggest first; each is a series (1, 2, …), everything else is series 0, and series null
-- is the whole day. More than 92 days become weeks (from Monday). Bars that today belongs to are marked as partial.
create or replace function app.spend_bars(
    p_from timestamptz, p_to timestamptz, p_by text, p_filters jsonb, p_top text[]
) returns table (
    bar date, days integer, partial boolean, series integer, calls bigint, cost numeric,
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
    ), spent as (
        select case u.days when 7 then date_trunc('week', x.day)::date else x.day end as bar,
            coalesce(array_position(p_top, case p_by when 'project' then x.project_id::text when 'key' then x.key_id::text
                when 'model' then coalesce(x.model, '') end), 0) as series,
            x.calls, x.cost, x.tokens_in - x.tokens_cached as tokens_uncached, x.tokens_cached, x.tokens_out
        from unit u, app.usage(p_from, p_to, array['day', p_by], p_filters) x
    ), summed as (
        select s.bar, s.series, sum(s.calls) as calls, sum(s.cost) as cost, sum(s.tokens_uncached) as tokens_uncached,
            sum(s.tokens_cached) as tokens_cached, sum(s.tokens_out) as tokens_out
        from spent s group by grouping sets ((s.bar, s.series), (s.bar))
    )
    select b.bar, u.days, u.today >= b.bar and u.today < b.bar + u.days, n.series,
        coalesce(s.calls, 0)::bigint, coalesce(s.cost, 0), coalesce(s.tokens_uncached, 0)::bigint,
        coalesce(s.tokens_cached, 0)::bigint, coalesce(s.tokens_out, 0)::bigint
    from unit u, bars b
    cross join (select distinct x.series from spent x union all select null::integer) n
    left join summed s on s.bar = b.bar and s.series is not distinct from n.series
    order by n.series, b.bar
$$;

comment on function app.spend_bars is 'Spend and tokens per day (or week) and series for the charts, without gaps.';
revoke execute on function app.spend_bars from public, anon, authenticated, service_role;
grant execute on function app.spend_bars to authenticated;
