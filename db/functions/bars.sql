-- bars(from, to, zone, grain) → the moments at which the hours, days, weeks or months of a time zone begin, in order
--
-- From the one that p_from is in, to the first that begins at p_to or after it: so the end of a bar is the next element. Null when
-- p_from is not before p_to. Grain week_of_month: weeks, cut where a month begins, so that they add up to weeks and to months.
--
-- They are those of the zone's calendar: a day has 23 or 25 hours where clocks are changed, and begins at its first moment, also
-- where midnight is skipped or comes twice. Weeks begin on Monday. An hour begins where the clock shows a full hour, so in
-- Lord Howe, where clocks are changed by half an hour, two hours a year have 90 minutes.
create or replace function app.bars(p_from timestamptz, p_to timestamptz, p_zone text, p_grain text) returns timestamptz[]
language sql stable
set search_path = ''
set timezone = 'UTC'
as $$
    with starts as (
        select q.at
        from generate_series(date_trunc('hour', date_trunc('hour', p_from, p_zone), p_zone), p_to + interval '90 minutes',
            interval '15 minutes') q (at)
        where p_grain = 'hour' and extract(minute from q.at at time zone p_zone) = 0
        union
        select case when (c.at - interval '1 hour') at time zone p_zone >= d.local then c.at - interval '1 hour' else c.at end
        from (select g.grain, ('1 ' || g.grain)::interval as unit
            from unnest(case p_grain when 'week_of_month' then '{week,month}' else array[p_grain] end) g (grain)) u
        cross join lateral generate_series(date_trunc(u.grain, p_from at time zone p_zone), (p_to at time zone p_zone) + u.unit,
            u.unit) d (local)
        cross join lateral (select d.local at time zone p_zone as at) c
        where p_grain <> 'hour'
    )
    select array_agg(s.at order by s.at)
    from (select at, lag(at) over (order by at) as before, lead(at) over (order by at) as after from starts) s
    where p_from < p_to and (s.before is null or s.before < p_to) and (s.after is null or s.after > p_from)
$$;

comment on function app.bars is 'When the hours, days, weeks or months of a period begin, in a time zone.';
revoke execute on function app.bars from public, anon, authenticated, service_role;
grant execute on function app.bars to authenticated;
