-- totals_differences(from) → days from this one on whose sums, by day or by hour, are not those of their calls and corrections
--
-- No row: all is well. Adds up the calls and corrections again and subtracts the totals and labels, all in one snapshot, so it
-- may run at any time beside everything else. part: all (daily_totals) or a kind of daily_labels; with ` by hour`: the same of
-- hourly_totals and hourly_labels.
--
-- On a day of which not all labels are kept apart (see app.labels_beyond), the sums of all labels of a kind are compared.
-- Days of months that were dropped, or are being dropped, are left out: their calls are gone. A correction of such a call that was
-- booked on a later day no longer tells its project or model: corrections of that day are compared for the whole organization.
create or replace function app.totals_differences(p_from date)
returns table (org_id uuid, day date, part text, calls bigint, cost numeric)
language sql stable
set search_path = ''
as $$
    with gone as (
        select m as month from app.months_dropped() m
    ), booking as (  -- each call, each correction on the day it was booked, and each correction on the day of its call
        select u.id, u.started_at, u.started_at as at, 1 as calls, 0 as adjustment, 0 as correction
        from public.usage_logs u where u.state = 'settled' and u.started_at >= p_from::timestamp at time zone 'utc'
        union all
        select a.call_id, a.call_started_at, a.at, 0, a.delta, 0
        from public.cost_adjustments a where a.at >= p_from::timestamp at time zone 'utc'
        union all
        select a.call_id, a.call_started_at, a.call_started_at, 0, 0, a.delta
        from public.cost_adjustments a where a.call_started_at >= p_from::timestamp at time zone 'utc'
    ), entry as (
        select u.org_id, (b.at at time zone 'utc')::date as day, date_bin('1 hour', b.at, '2000-01-01 00:00+00') as hour,
            u.project_id, u.api_key_id, coalesce(u.model, u.model_requested, '') as model, u.endpoint, coalesce(u.service_tier,
            '') as tier, coalesce(u.status_code, 0) as status, u.cost_status, u.upstream, u.end_user, u.tags, b.calls, b.calls *
            coalesce(u.tokens_in, 0) as tokens_in, b.calls * coalesce(u.tokens_cached, 0) as tokens_cached, b.calls *
            coalesce(u.tokens_out, 0) as tokens_out, b.calls * coalesce(u.tokens_cache_write, 0) as tokens_cache_write, b.calls
            * coalesce(u.tokens_reasoning, 0) as tokens_reasoning, b.calls * coalesce(u.tokens_audio_in, 0) as tokens_audio_in,
            b.calls * coalesce(u.tokens_audio_out, 0) as tokens_audio_out, b.calls * coalesce(u.cost, 0) as cost, b.adjustment,
            b.correction, case when b.calls = 1 then array[k.cost_input, k.cost_cached, k.cost_cache_write, k.cost_output,
            k.cost_reasoning, k.cost_audio, k.cost_image, k.cost_tools, k.cost_region] end as kinds
        from booking b join public.usage_logs u on u.id = b.id and u.started_at = b.started_at
        cross join lateral app.cost_kinds(u.cost, u.cost_lines, u.tokens_reasoning) k
    ), dropped as (  -- days on which corrections of their calls were booked
        select a.org_id, (a.at at time zone 'utc')::date as day, sum(a.delta) as delta
        from public.cost_adjustments a join gone m
            on m.month = date_trunc('month', a.call_started_at at time zone 'utc')::date
        group by 1, 2
    ), signed as (  -- calls and corrections with sign 1, totals and labels with -1: together they must be 0
        select 1 as sign, 'all' || h.by_hour as part, '' as label, h.hour, e.org_id, e.day, e.project_id, e.api_key_id, e.model,
            e.endpoint, e.tier, e.status, e.cost_status, e.upstream, e.calls, e.tokens_in, e.tokens_cached, e.tokens_out,
            e.tokens_cache_write, e.tokens_reasoning, e.tokens_audio_in, e.tokens_audio_out, e.cost, e.adjustment, e.correction,
            0 as unpriced, 0 as no_usage, 0 as errors, e.kinds
        from entry e cross join lateral (values ('', null), (' by hour', e.hour)) h (by_hour, hour)
        union all
        select 1, l.kind || h.by_hour, l.label, h.hour, e.org_id, e.day, e.project_id, e.api_key_id, null, null, null, null,
            null, e.upstream, e.calls, e.tokens_in, e.tokens_cached, e.tokens_out, 0, 0, 0, 0, e.cost, e.adjustment,
            e.correction, e.calls * (e.cost_status in ('unpriced_model', 'unpriced_dimension'))::integer, e.calls *
            (e.cost_status in ('no_usage', 'pending_object'))::integer, e.calls * (e.status >= 400)::integer, null
        from entry e cross join lateral (values ('', null), (' by hour', e.hour)) h (by_hour, hour)
        cross join lateral (
            select 'end_user' as kind, e.end_user as label where e.end_user is not null
            union all
            select 'tagged', '' where e.tags <> '{}'
            union all
            select 'tag', x.key || '=' || x.value from jsonb_each_text(e.tags) x
        ) l
        union all
        select -1, 'all', '', null, t.org_id, t.day, t.project_id, t.api_key_id, t.model, t.endpoint, t.service_tier,
            t.status_code, t.cost_status, t.upstream, t.calls, t.tokens_in, t.tokens_cached, t.tokens_out, t.tokens_cache_write,
            t.tokens_reasoning, t.tokens_audio_in, t.tokens_audio_out, t.cost, t.adjustments, t.corrections, 0, 0, 0,
            array[t.cost_input, t.cost_cached, t.cost_cache_write, t.cost_output, t.cost_reasoning, t.cost_audio, t.cost_image,
            t.cost_tools, t.cost_region]
        from public.daily_totals t where t.day >= p_from
        union all
        select -1, t.kind, t.label, null, t.org_id, t.day, t.project_id, t.api_key_id, null, null, null, null, null, t.upstream,
            t.calls, t.tokens_in, t.tokens_cached, t.tokens_out, 0, 0, 0, 0, t.cost, t.adjustments, t.corrections,
            t.unpriced_calls, t.no_usage_calls, t.error_calls, null
        from public.daily_labels t where t.day >= p_from
        union all
        select -1, 'all by hour', '', t.hour, t.org_id, (t.hour at time zone 'utc')::date, t.project_id, t.api_key_id, t.model,
            t.endpoint, t.service_tier, t.status_code, t.cost_status, t.upstream, t.calls, t.tokens_in, t.tokens_cached,
            t.tokens_out, t.tokens_cache_write, t.tokens_reasoning, t.tokens_audio_in, t.tokens_audio_out, t.cost,
            t.adjustments, t.corrections, 0, 0, 0, array[t.cost_input, t.cost_cached, t.cost_cache_write, t.cost_output,
            t.cost_reasoning, t.cost_audio, t.cost_image, t.cost_tools, t.cost_region]
        from public.hourly_totals t where t.hour >= p_from::timestamp at time zone 'utc'
        union all
        select -1, t.kind || ' by hour', t.label, t.hour, t.org_id, (t.hour at time zone 'utc')::date, t.project_id,
            t.api_key_id, null, null, null, null, null, t.upstream, t.calls, t.tokens_in, t.tokens_cached, t.tokens_out, 0, 0,
            0, 0, t.cost, t.adjustments, t.corrections, t.unpriced_calls, t.no_usage_calls, t.error_calls, null
        from public.hourly_labels t where t.hour >= p_from::timestamp at time zone 'utc'
    ), capped as (
        select distinct t.org_id, t.day, t.kind from public.daily_labels t
        where t.day >= p_from and (t.label = '(other)' or t.label like '%=(other)')
    ), difference as (
        select s.org_id, s.day, s.part, sum(s.sign * s.calls) as calls, sum(s.sign * s.cost) as cost,
            sum(s.sign * s.adjustment) as adjustment,
            array[sum(s.sign * s.calls), sum(s.sign * s.cost), sum(s.sign * s.tokens_in), sum(s.sign * s.tokens_cached),
                sum(s.sign * s.tokens_out), sum(s.sign * s.tokens_cache_write), sum(s.sign * s.tokens_reasoning),
                sum(s.sign * s.tokens_audio_in), sum(s.sign * s.tokens_audio_out), sum(s.sign * s.correction),
                sum(s.sign * s.unpriced), sum(s.sign * s.no_usage), sum(s.sign * s.errors),
                coalesce(sum(s.sign * s.kinds[1]), 0), coalesce(sum(s.sign * s.kinds[2]), 0), coalesce(sum(s.sign * s.kinds[3]), 0),
                coalesce(sum(s.sign * s.kinds[4]), 0), coalesce(sum(s.sign * s.kinds[5]), 0), coalesce(sum(s.sign * s.kinds[6]), 0),
                coalesce(sum(s.sign * s.kinds[7]), 0), coalesce(sum(s.sign * s.kinds[8]), 0), coalesce(sum(s.sign * s.kinds[9]), 0)]
                <> array_fill(0::numeric, array[22]) as is_wrong
        from signed s left join capped c on c.org_id = s.org_id and c.day = s.day and c.kind = split_part(s.part, ' ', 1)
        where not exists (select from gone m where m.month = date_trunc('month', s.day)::date)
        group by s.org_id, s.day, s.part, s.hour, case when c.kind is null then s.label end, s.project_id, s.api_key_id, s.model,
            s.endpoint, s.tier, s.status, s.cost_status, s.upstream
    )
    select f.org_id, f.day, f.part, sum(abs(f.calls))::bigint, sum(abs(f.cost) + abs(f.adjustment))
    from difference f left join dropped g on g.org_id = f.org_id and g.day = f.day
    group by f.org_id, f.day, f.part, g.delta
    having bool_or(f.is_wrong) or (g.delta is null and bool_or(f.adjustment <> 0))
        or (f.part in ('all', 'all by hour') and sum(f.adjustment) <> -coalesce(g.delta, 0))
    order by f.day, f.org_id, f.part
$$;

comment on function app.totals_differences is
    'Days whose totals, or those of their hours, are not the sums of their calls, and by how much. Should be none.';
-- No grant: for the operator, through flask doctor.
revoke execute on function app.totals_differences from public, anon, authenticated, service_role;
