-- spend_report(from, to, before from, before to, zone, grain, by, tag name, side, filters, top) → everything a spend page shows
--
-- Arguments as for app.spend_cells, all parts computed from one set of them. totals: the row of app.spend_totals. rows:
-- app.spend_breakdown by p_by, at most p_top rows and the rest in one (null: all rows). side: the same by p_side, five rows and
-- the rest. bars: app.spend_bars, with a series for each coloured row. before_bars: bar, cost, calls, unknown_calls and tokens of the
-- period that is compared, bars without calls included. peak: the bar that stands out and the row that made it, as app.spend_peak says, with
-- its name; null where none does. months: the months until now that the period has in full, as app.spend_months has them, so that
-- a page need not ask for them again; none where the period ends before now.
--
-- Of thousands of keys there are many cells: each part gets them added up to what it shows. Of thousands of end users on each of
-- many days even making the cells takes most of the time: so rows and bars are asked apart, then the bars of the coloured rows
-- alone. The other rows of a bar are the whole bar less those.
create or replace function app.spend_report(
    p_from timestamptz, p_to timestamptz, p_before_from timestamptz, p_before_to timestamptz, p_zone text, p_grain text,
    p_by text, p_tag_name text, p_side text, p_filters jsonb, p_top integer
) returns table (totals jsonb, rows jsonb, side jsonb, bars jsonb, before_bars jsonb, peak jsonb, months jsonb)
language plpgsql stable
set search_path = ''
set timezone = 'UTC'  -- of the moments in the JSON
as $$
declare
    v_rows app.spend_cell[];  -- cells of both periods by id; of names of tags by value too
    v_side app.spend_cell[];  -- of both periods by side
    v_bars app.spend_cell[];  -- by bar and id; of the period that is compared by bar alone
    v_weeks timestamptz[];  -- when the bars begin, where they are weeks: those of v_bars end with a month too
    v_months timestamptz[];
    v_month timestamptz[];  -- of each of v_bars
    v_compared boolean := p_before_from is not null;
    v_top text[];
    v_apart boolean := p_by = 'end_user' and p_grain in ('hour', 'day')
        and app.sums_source(array[p_by], p_filters) is not null;  -- else each part would read the calls
    v_other text;  -- an id that stands for all those without a colour
begin
    select app.bars(p.since, p.until, p_zone, 'week'), app.bars(p.since, p.until, p_zone, 'month') into v_weeks, v_months
    from app.sums_span() s
    cross join lateral (select greatest(least(p_from, p_before_from), s.first) as since, least(p_to, s.until) as until) p;
    select array_agg(s.cell) filter (where s.part = 'rows'), array_agg(s.cell) filter (where s.part = 'side'),
        array_agg(s.cell) filter (where s.part = 'bars'), array_agg(s.month) filter (where s.part = 'bars')
    into v_rows, v_side, v_bars, v_month
    from (
        select case when grouping(w.id_now) = 0 then 'bars' when grouping(c.id) = 0 then 'rows' else 'side' end as part,
            v_months[width_bucket(c.bar, v_months)] as month,
            row(c.is_now, c.whole, case when p_grain = 'week' then v_weeks[width_bucket(c.bar, v_weeks)] else c.bar end, case when grouping(w.id_now) = 0 then w.id_now else c.id end,
                case when grouping(c.id) = 0 then w.tag else c.side end, sum(c.calls), sum(c.tokens_in), sum(c.tokens_cached),
                sum(c.tokens_out), sum(c.cost), sum(c.unpriced_calls), sum(c.no_usage_calls), sum(c.in_doubt_calls),
                sum(c.error_calls), sum(c.adjustments), sum(c.cost_corrected))::app.spend_cell as cell
        from app.spend_cells(p_from, p_to, p_before_from, p_before_to, p_zone,
            case p_grain when 'week' then 'week_of_month' else p_grain end,
            case when not v_apart then p_by end, p_tag_name, p_side, p_filters) c
        cross join lateral (select case when c.is_now then c.id end as id_now, case when not c.whole then c.side end as tag) w
        group by grouping sets ((c.is_now, c.whole, c.id, w.tag), (c.is_now, c.whole, c.side), (c.is_now, c.whole, c.bar, w.id_now))
    ) s;
    months := (select coalesce(jsonb_agg(jsonb_build_object('month', (b.at at time zone p_zone)::date, 'partial', b.until > now(),
            'calls', coalesce(s.calls, 0), 'cost', coalesce(s.cost, 0), 'unpriced_calls', coalesce(s.unpriced_calls, 0),
            'no_usage_calls', coalesce(s.no_usage_calls, 0), 'in_doubt_calls', coalesce(s.in_doubt_calls, 0)) order by b.at), '[]')
        from (select m.at, lead(m.at) over (order by m.at) as until from unnest(app.bars(p_from, now(), p_zone, 'month')) m (at)) b
        left join (select c.month, sum(c.calls) as calls, sum(c.cost) as cost, sum(c.unpriced_calls) as unpriced_calls,
                sum(c.no_usage_calls) as no_usage_calls, sum(c.in_doubt_calls) as in_doubt_calls
            from unnest(v_bars, v_month) c (is_now, whole, bar, id, side, calls, tokens_in, tokens_cached, tokens_out, cost, unpriced_calls,
                no_usage_calls, in_doubt_calls, error_calls, adjustments, cost_corrected, month)
            where c.is_now and c.whole group by 1) s on s.month = b.at
        where b.at >= p_from and b.until is not null and now() < p_to);
    if v_apart then
        v_rows := array(select c from app.spend_cells(p_from, p_to, p_before_from, p_before_to, p_zone, null, p_by, null, null, p_filters) c);
    end if;
    totals := (select to_jsonb(t) from app.spend_totals(v_rows, v_compared) t);
    select coalesce(jsonb_agg(b), '[]'), array_agg(b.id) filter (where b.series > 0) into rows, v_top
    from app.spend_breakdown(v_rows, p_by, false, p_top, v_compared) b;
    side := (select coalesce(jsonb_agg(b), '[]') from app.spend_breakdown(v_side, p_side, true, 5, v_compared) b);
    if v_apart and v_top is not null then
        v_other := (select c.id from unnest(v_rows) c where c.is_now and (c.id = any (v_top)) is not true limit 1);
        v_bars := v_bars || array(
            select row(true, false, c.bar, i.id, null, sum(i.sign * c.calls), sum(i.sign * c.tokens_in), sum(i.sign * c.tokens_cached),
                sum(i.sign * c.tokens_out), sum(i.sign * c.cost), sum(i.sign * c.unpriced_calls), sum(i.sign * c.no_usage_calls),
                sum(i.sign * c.in_doubt_calls), sum(i.sign * c.error_calls), sum(i.sign * c.adjustments),
                sum(i.sign * c.cost_corrected))::app.spend_cell
            from (
                select b.* from unnest(v_bars) b where b.is_now
                union all
                select b.* from app.spend_cells(p_from, p_to, null, null, p_zone, p_grain, p_by, null, null,
                    p_filters || jsonb_build_object(p_by, v_top)) b
            ) c
            cross join lateral (select c.id, 1 as sign where c.id is not null union all
                select v_other, case when c.id is null then 1 else -1 end where v_other is not null) i
            group by c.bar, i.id);
    end if;
    bars := (select coalesce(jsonb_agg(b), '[]') from app.spend_bars(v_bars, p_from, p_to, p_zone, p_grain, v_top) b);
    before_bars := (select coalesce(jsonb_agg(jsonb_build_object('bar', b.at, 'cost', coalesce(s.cost, 0), 'calls', coalesce(s.calls, 0),
            'unknown_calls', coalesce(s.unknown_calls, 0), 'tokens', coalesce(s.tokens, 0)) order by b.at), '[]')
        from unnest(app.bars(p_before_from, p_before_to, p_zone, p_grain)) b (at)
        left join (select c.bar, sum(c.cost) as cost, sum(c.calls) as calls, sum(c.tokens_in + c.tokens_out) as tokens,
                sum(c.unpriced_calls + c.no_usage_calls + c.in_doubt_calls) as unknown_calls
            from unnest(v_bars) c where c.whole and not c.is_now group by 1) s on s.bar = b.at
        where b.at < p_before_to);
    if v_apart and exists (select from app.spend_peak(v_bars, bars)) then  -- seldom: only then all rows of all bars are needed
        v_bars := array(select c from app.spend_cells(p_from, p_to, null, null, p_zone, p_grain, p_by, null, null, p_filters) c);
    end if;
    peak := (
        select to_jsonb(p) || jsonb_build_object('name', (select b.name from app.spend_breakdown(v_rows, p_by, false, null, false) b
            where b.id = p.id))
        from app.spend_peak(v_bars, bars) p);
    return next;
end $$;

comment on function app.spend_report is
    'Totals, table, side table and bars of a period as JSON, beside those of the period it is compared with.';
revoke execute on function app.spend_report from public, anon, authenticated, service_role;
grant execute on function app.spend_report to authenticated;
