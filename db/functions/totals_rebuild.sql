-- totals_rebuild(organization, day, reason) → makes the sums of a day (UTC) and of its hours anew from its calls and corrections
--
-- For sums that app.totals_differences finds wrong where the calls are right. Returns the calls and dollars of the day before and
-- after. What is settled or corrected meanwhile waits, and with it the ledgers of the gateways: each change of sums begins in
-- daily_totals. Once it has the lock, each statement sees all that was committed before, so nothing is missing or counted twice.
-- A month is not detached meanwhile.
--
-- Refused where the calls do not tell all: their month was dropped or is being dropped, or a correction of a call of such a month
-- was booked on this day. Of more labels than a day keeps apart, those of the day's first calls are kept: see app.labels_beyond.
create or replace function app.totals_rebuild(
    p_org_id uuid, p_day date, p_reason text,
    out calls_before bigint, out cost_before numeric, out calls_after bigint, out cost_after numeric
)
language plpgsql
set search_path = ''
set lock_timeout = '5s'  -- whoever settles waits behind this
as $$
declare
    v_month date := date_trunc('month', p_day)::date;
    v_begin timestamptz := p_day::timestamp at time zone 'utc';
    v_end timestamptz := (p_day + 1)::timestamp at time zone 'utc';
    v_entries app.total_entry[];
begin
    lock table only public.usage_logs in share update exclusive mode;
    lock table public.daily_totals in share row exclusive mode;
    if exists (select from private.dropped_months m where m.month = v_month) or not exists (
        select from pg_catalog.pg_inherits i
        where i.inhrelid = to_regclass('private.usage_logs_' || to_char(p_day, 'YYYY_MM')) and not i.inhdetachpending)
    then
        raise sqlstate 'PT409' using message = 'the calls of this month are not in the database', detail = 'month_dropped',
            hint = 'Its sums stay as they are';
    end if;
    if exists (
        select from public.cost_adjustments a
        where a.org_id = p_org_id and a.at >= v_begin and a.at < v_end
          and not exists (select from public.usage_logs u where u.id = a.call_id and u.started_at = a.call_started_at))
    then
        raise sqlstate 'PT409' using message = 'corrections of this day are of calls that are not in the database any more',
            detail = 'month_dropped', hint = 'Its sums stay as they are';
    end if;

    select coalesce(sum(t.calls), 0), coalesce(sum(t.cost + t.adjustments), 0) into calls_before, cost_before
    from public.daily_totals t where t.org_id = p_org_id and t.day = p_day;
    delete from public.daily_totals t where t.org_id = p_org_id and t.day = p_day;
    delete from public.hourly_totals t where t.org_id = p_org_id and t.hour >= v_begin and t.hour < v_end;
    delete from public.daily_labels t where t.org_id = p_org_id and t.day = p_day;
    delete from public.hourly_labels t where t.org_id = p_org_id and t.hour >= v_begin and t.hour < v_end;
    delete from private.label_counts c where c.org_id = p_org_id and c.day = p_day;

    for v_entries in
        select array_agg(n.entry order by n.nth)
        from (
            select e.entry, row_number() over (order by e.at, e.id) as nth
            from (
                select u.id, u.started_at as at, app.total_entry_of(u, 1) as entry
                from public.usage_logs u
                where u.org_id = p_org_id and u.started_at >= v_begin and u.started_at < v_end and u.state = 'settled'
                union all
                -- A correction counts on the day on which it was booked, and on the day of its call.
                select a.call_id, a.at, row(
                    c.org_id, p_day, c.project_id, c.api_key_id, c.model, c.endpoint, c.service_tier, c.status_code,
                    c.cost_status, c.upstream, c.end_user, c.tags, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                    case when d.booked then a.delta else 0 end, case when d.booked then 0 else a.delta end, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                    case when d.booked then date_bin('1 hour', a.at, '2000-01-01 00:00+00') else c.hour end)::app.total_entry
                from public.cost_adjustments a
                join public.usage_logs u on u.id = a.call_id and u.started_at = a.call_started_at
                cross join lateral app.total_entry_of(u, 0) c
                cross join (values (true), (false)) d (booked)
                where a.org_id = p_org_id
                  and case when d.booked then a.at else a.call_started_at end >= v_begin
                  and case when d.booked then a.at else a.call_started_at end < v_end
            ) e
        ) n
        group by (n.nth - 1) / 1000
        order by 1
    loop
        perform app.totals_add(v_entries);
    end loop;

    select coalesce(sum(t.calls), 0), coalesce(sum(t.cost + t.adjustments), 0) into calls_after, cost_after
    from public.daily_totals t where t.org_id = p_org_id and t.day = p_day;
    perform app.audit(p_org_id, 'totals.rebuilt', null, jsonb_build_object(
        'day', p_day, 'calls_before', calls_before, 'calls', calls_after, 'cost_before', cost_before::text, 'cost', cost_after::text,
        'reason', p_reason));
end $$;

comment on function app.totals_rebuild is
    'Makes the sums of a day and of its hours anew from its calls and corrections, and says what they were before.';
-- No grant: for the operator, through flask totals.
revoke execute on function app.totals_rebuild from public, anon, authenticated, service_role;
