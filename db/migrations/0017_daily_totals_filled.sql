-- 0017_daily_totals_filled: the sums of the calls and corrections that are there already
--
-- Without this lock calls could be settled between what is added up here and the triggers, which come with app.totals_follow_calls.
lock table public.usage_logs, public.cost_adjustments in share row exclusive mode;
with entry as (
    select c.day, u.org_id, u.project_id, u.api_key_id, coalesce(u.model, u.model_requested, '') as model, u.endpoint,
        coalesce(u.service_tier, '') as service_tier, coalesce(u.status_code, 0) as status_code, u.cost_status, u.upstream,
        u.end_user, u.tags, c.calls, c.calls * u.tokens_in as tokens_in, c.calls * u.tokens_cached as tokens_cached,
        c.calls * u.tokens_cache_write as tokens_cache_write, c.calls * u.tokens_out as tokens_out,
        c.calls * u.tokens_reasoning as tokens_reasoning, c.calls * u.tokens_audio_in as tokens_audio_in,
        c.calls * u.tokens_audio_out as tokens_audio_out, c.calls * u.cost as cost, c.adjustment, c.correction
    from (
        select id, started_at, (started_at at time zone 'utc')::date as day, 1 as calls, 0 as adjustment, 0 as correction
        from public.usage_logs where state = 'settled'
        union all
        select call_id, call_started_at, (at at time zone 'utc')::date, 0, delta, 0 from public.cost_adjustments
        union all
        select call_id, call_started_at, (call_started_at at time zone 'utc')::date, 0, 0, delta from public.cost_adjustments
    ) c
    join public.usage_logs u on u.id = c.id and u.started_at = c.started_at
), added as (
    insert into public.daily_totals
    select org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, 64,
        sum(calls), coalesce(sum(tokens_in), 0), coalesce(sum(tokens_cached), 0), coalesce(sum(tokens_cache_write), 0),
        coalesce(sum(tokens_out), 0), coalesce(sum(tokens_reasoning), 0), coalesce(sum(tokens_audio_in), 0),
        coalesce(sum(tokens_audio_out), 0), coalesce(sum(cost), 0), sum(adjustment), sum(correction)
    from entry group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
)
insert into public.daily_labels
select org_id, kind, day, label, project_id, api_key_id, upstream, 64, sum(calls), coalesce(sum(tokens_in), 0),
    coalesce(sum(tokens_cached), 0), coalesce(sum(tokens_out), 0), coalesce(sum(cost), 0),
    coalesce(sum(calls) filter (where cost_status in ('unpriced_model', 'unpriced_dimension')), 0),
    coalesce(sum(calls) filter (where cost_status in ('no_usage', 'pending_object')), 0),
    coalesce(sum(calls) filter (where status_code >= 400), 0), sum(adjustment), sum(correction)
from entry
cross join lateral (
    select 'end_user' as kind, end_user as label where end_user is not null
    union all
    select 'tagged', '' where tags <> '{}'
    union all
    select 'tag', x.key || '=' || x.value from jsonb_each_text(tags) x
) l
group by 1, 2, 3, 4, 5, 6, 7;
