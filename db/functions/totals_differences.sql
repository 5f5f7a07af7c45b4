-- totals_differences(from) → days from this one on whose kept sums are not the sums of their calls and corrections: none
--
-- Adds the calls themselves up again and takes the kept sums away, all in one snapshot, so it may run at any time beside
-- everything else. part: all (daily_totals), a kind of daily_labels, or adjustments (of an organization's day: their calls may
-- be in a month that was dropped since). Of the days of dropped months nothing is left to compare with.
create or replace function app.totals_differences(p_from date)
returns table (org_id uuid, day date, part text, calls bigint, cost numeric)
language sql stable
set search_path = ''
as $$
    with entry as (
        select u.org_id, (u.started_at at time zone 'utc')::date as day, u.project_id, u.api_key_id,
            coalesce(u.model, u.model_requested, '') as model, u.endpoint, coalesce(u.service_tier, '') as service_tier,
            coalesce(u.status_code, 0) as status_code, u.cost_status, u.upstream, u.end_user, u.tags,
            coalesce(u.tokens_in, 0) as tokens_in, coalesce(u.tokens_cached, 0) as tokens_cached,
            coalesce(u.tokens_out, 0) as tokens_out, coalesce(u.cost, 0) as cost,
            coalesce((select sum(a.delta) from public.cost_adjustments a
                      where a.call_id = u.id and a.call_started_at = u.started_at), 0) as correction
        from public.usage_logs u
        where u.state = 'settled' and u.started_at >= p_from::timestamp at time zone 'utc'
    ), signed as (
        select 1 as sign, 'all' as part, '' as label, e.org_id, e.day, e.project_id, e.api_key_id, e.model, e.endpoint,
            e.service_tier, e.status_code, e.cost_status, e.upstream, 1::bigint as calls, e.tokens_in, e.tokens_cached,
            e.tokens_out, e.cost, e.correction, 0::bigint as counts
        from entry e
        union all
        select 1, l.kind, l.label, e.org_id, e.day, e.project_id, e.api_key_id, null, null, null, null, null, e.upstream, 1,
            e.tokens_in, e.tokens_cached, e.tokens_out, e.cost, e.correction,
            (e.cost_status in ('unpriced_model', 'unpriced_dimension'))::integer
                + 1000000 * (e.cost_status in ('no_usage', 'pending_object'))::integer
                + 1000000000000 * (e.status_code >= 400)::integer
        from entry e
        cross join lateral (
            select 'end_user' as kind, e.end_user as label where e.end_user is not null
            union all
            select 'tagged', '' where e.tags <> '{}'
            union all
            select 'tag', x.key || '=' || x.value from jsonb_each_text(e.tags) x
        ) l
        union all
        select -1, 'all', '', t.org_id, t.day, t.project_id, t.api_key_id, t.model, t.endpoint, t.service_tier, t.status_code,
            t.cost_status, t.upstream, t.calls, t.tokens_in, t.tokens_cached, t.tokens_out, t.cost, t.corrections, 0
        from public.daily_totals t where t.day >= p_from
        union all
        select -1, t.kind, t.label, t.org_id, t.day, t.project_id, t.api_key_id, null, null, null, null, null, t.upstream,
            t.calls, t.tokens_in, t.tokens_cached, t.tokens_out, t.cost, t.corrections,
            t.unpriced_calls + 1000000 * t.no_usage_calls + 1000000000000 * t.error_calls
        from public.daily_labels t where t.day >= p_from
        union all
        select 1, 'adjustments', '', a.org_id, (a.at at time zone 'utc')::date, null, null, null, null, null, null, null, null,
            0, 0, 0, 0, a.delta, 0, 0
        from public.cost_adjustments a where a.at >= p_from::timestamp at time zone 'utc'
        union all
        select -1, 'adjustments', '', t.org_id, t.day, null, null, null, null, null, null, null, null, 0, 0, 0, 0, t.adjustments, 0, 0
        from public.daily_totals t where t.day >= p_from and t.adjustments <> 0
    ), wrong as (
        select s.org_id, s.day, s.part, sum(s.sign * s.calls) as calls, sum(s.sign * s.cost) as cost
        from signed s
        where not exists (select from private.dropped_months m
                          where s.day >= m.month and s.day < m.month + interval '1 month' and s.part <> 'adjustments')
        group by s.org_id, s.day, s.part, s.label, s.project_id, s.api_key_id, s.model, s.endpoint, s.service_tier,
            s.status_code, s.cost_status, s.upstream
        having sum(s.sign * s.calls) <> 0 or sum(s.sign * s.tokens_in) <> 0 or sum(s.sign * s.tokens_cached) <> 0
            or sum(s.sign * s.tokens_out) <> 0 or sum(s.sign * s.cost) <> 0 or sum(s.sign * s.correction) <> 0
            or sum(s.sign * s.counts) <> 0
    )
    select w.org_id, w.day, w.part, sum(abs(w.calls))::bigint, sum(abs(w.cost)) from wrong w group by 1, 2, 3 order by 2, 1, 3
$$;

comment on function app.totals_differences is 'Days whose kept sums are not the sums of their calls, and by how much. Should be none.';
-- No grant: for the operator, through flask doctor.
revoke execute on function app.totals_differences from public, anon, authenticated, service_role;
