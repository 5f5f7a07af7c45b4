-- sums_pieces(from, to, zone, grain, bars, totals) → the pieces of a period that app.sums adds up, by where each is read from
--
-- unit: day (daily totals, from since to until), hour (hourly totals: the hours that begin at a moment of since) or call (the calls
-- themselves, from each moment of since to that of until). p_totals: whether totals answer the question, or calls alone do.
--
-- A day of another zone than UTC is not read hour by hour: a whole UTC day counts in the bar that has its noon, and only the hours
-- on the other side of the bar's edge are read, to be moved: an hour or a call within moved is added to its own bar and taken
-- away from the bar of its UTC day. Of New York that is four hours a day.
--
-- Before app.hours_since() hours are not known, the calls may be gone: there the whole UTC day counts as the day of the zone that has
-- its date (by hour, at its noon), and a period that begins or ends at midnight of the zone is cut at midnight UTC.
--
-- Before app.calls_since() calls may be gone, and parts of hours with them: there an hour counts, all of it, where it begins. So
-- the sums of adjacent periods still add up, in India's zone too, whose days begin within hours of UTC.
create or replace function app.sums_pieces(
    p_from timestamptz, p_to timestamptz, p_zone text, p_grain text, p_bars timestamptz[], p_totals boolean
) returns table (unit text, since timestamptz[], until timestamptz[], moved tstzrange, noon text)
language plpgsql stable
set search_path = ''
set timezone = 'UTC'
as $$
declare
    v_known timestamptz := app.hours_since()::timestamptz;
    v_kept timestamptz := app.calls_since()::timestamptz;
    v_most interval := interval '1 hour' - interval '1 microsecond';
    v_from timestamptz := case when p_from < v_known and (p_from at time zone p_zone)::time = '00:00'
        then (p_from at time zone p_zone)::date::timestamptz
        when p_totals and p_from < v_kept then date_trunc('hour', p_from + v_most) else p_from end;
    v_to timestamptz := case when p_to < v_known and (p_to at time zone p_zone)::time = '00:00'
        then (p_to at time zone p_zone)::date::timestamptz
        when p_totals and p_to < v_kept then date_trunc('hour', p_to + v_most) else p_to end;
    v_first timestamptz := date_trunc('day', v_from + interval '1 day' - interval '1 microsecond');  -- the first whole day
    v_end timestamptz := greatest(v_first, date_trunc('day', v_to));
    v_new timestamptz := least(v_end, greatest(v_first, v_known));  -- the first whole day with hours
    v_moved tstzrange := case when p_grain = 'hour' then 'empty' else tstzrange(v_new, v_end) end;
begin
    if not p_totals or v_from >= v_to then
        return query select 'call', array[v_from], array[v_to], 'empty'::tstzrange, 'UTC' where v_from < v_to;
        return;
    end if;
    if v_first < v_new then
        return query select 'day', array[v_first], array[v_new], 'empty'::tstzrange, p_zone;
    end if;
    if not isempty(v_moved) then
        return query select 'day', array[v_new], array[v_end], 'empty'::tstzrange, 'UTC';
    end if;
    return query
    with edge as (
        select v_from as a, least(v_first, v_to) as b
        union all
        select v_end, v_to where v_first <= v_to
        union all
        select greatest(v_new, p_bars[1]), least(v_end, p_bars[array_upper(p_bars, 1)]) where p_grain = 'hour'
        union all
        select case when c.at > d.at + interval '12 hours' then c.at else d.at end,
            case when c.at > d.at + interval '12 hours' then d.at + interval '1 day' else c.at end
        from unnest(p_bars) c (at) cross join lateral (select date_trunc('day', c.at) as at) d
        where p_grain <> 'hour' and c.at > d.at and d.at >= v_new and d.at < v_end
    ), hours as (
        select e.a, e.b, date_trunc('hour', e.a + v_most) as first,
            date_trunc('hour', case when e.b < v_kept then e.b + v_most else e.b end) as until
        from edge e where e.a < e.b
    ), hour as (  -- read from hourly totals where all of it is in one bar
        select h.at, h.at >= v_known
            and (h.at < v_kept or width_bucket(h.at, p_bars) = width_bucket(h.at + v_most, p_bars)) as is_whole
        from hours e cross join lateral generate_series(e.first, e.until - interval '1 hour', interval '1 hour') h (at)
    ), call as (
        select e.a, least(e.first, e.b) as b from hours e where e.a < e.first and e.a >= v_kept
        union all
        select e.until, e.b from hours e where e.first <= e.until and e.until < e.b
        union all
        select h.at, h.at + interval '1 hour' from hour h where not h.is_whole
    )
    select 'hour', array_agg(h.at), null, v_moved, 'UTC' from hour h where h.is_whole having count(*) > 0
    union all
    select 'call', array_agg(c.a order by c.a), array_agg(c.b order by c.a), v_moved, 'UTC' from call c having count(*) > 0;
end $$;

comment on function app.sums_pieces is
    'The parts of a period that app.sums reads from daily totals, from hourly totals and from the calls.';
-- Part of app.sums, which runs with the rights of its caller.
revoke execute on function app.sums_pieces from public, anon, authenticated, service_role;
grant execute on function app.sums_pieces to authenticated;
