-- spend_peak(cells, bars) → the bar that stands out most, and the row that made it; no row where none stands out
--
-- A bar stands out when it cost at least 1.75 times the median of the other whole bars: workdays differ less from the median of weeks
-- with their weekends. Only of four whole bars or more. The row (id of the cells) is the one whose cost in this bar is furthest above
-- its own median of the other bars. usual, row_usual: those medians; of an even number of bars the lower of the two in the middle.
-- p_bars: rows of app.spend_bars.
create or replace function app.spend_peak(p_cells app.spend_cell[], p_bars jsonb)
returns table (bar timestamptz, cost numeric, usual numeric, id text, row_cost numeric, row_usual numeric)
language sql stable
set search_path = ''
as $$
    with whole as (
        select (b.value ->> 'bar')::timestamptz as bar, (b.value ->> 'cost')::numeric as cost
        from jsonb_array_elements(p_bars) b (value)
        where b.value ->> 'series' is null and b.value ->> 'partial' is null
    ), peak as (
        select w.bar, w.cost, m.usual
        from whole w
        cross join lateral (select percentile_disc(0.5) within group (order by o.cost) as usual from whole o where o.bar <> w.bar) m
        where (select count(*) from whole) >= 4 and w.cost > 0 and w.cost >= 1.75 * m.usual
        order by w.cost - m.usual desc, w.bar
        limit 1
    ), of_rows as (
        select c.id, c.bar, sum(c.cost) as cost from unnest(p_cells) c where c.is_now and c.id is not null group by 1, 2
    ), judged as (
        select i.id, coalesce(sum(r.cost) filter (where w.bar = p.bar), 0) as row_cost,
            percentile_disc(0.5) within group (order by coalesce(r.cost, 0)) filter (where w.bar <> p.bar) as row_usual
        from peak p cross join whole w cross join (select distinct o.id from of_rows o) i
        left join of_rows r on r.id = i.id and r.bar = w.bar
        group by i.id
    )
    select p.bar, p.cost, p.usual, j.id, j.row_cost, j.row_usual
    from peak p cross join judged j
    order by j.row_cost - j.row_usual desc, j.id
    limit 1
$$;

comment on function app.spend_peak is 'The bar of a chart that stands out, and the row that made it.';
-- Part of spend_report, which runs with the rights of its caller.
revoke execute on function app.spend_peak from public, anon, authenticated, service_role;
grant execute on function app.spend_peak to authenticated;
