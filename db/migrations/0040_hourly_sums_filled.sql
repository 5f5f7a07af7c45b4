-- 0040_hourly_sums_filled: the sums per hour, and the cost by kind, of the calls and corrections that are there already
--
-- Without this lock calls could be settled between what is added up here and the functions of the triggers, which come after
-- the migrations.
lock table public.usage_logs, public.cost_adjustments in share row exclusive mode;
set local work_mem = '128MB';  -- halves the time for a million calls
create temporary view entry as
    select u.org_id, date_bin('1 hour', u.started_at, '2000-01-01 00:00+00') as hour, u.project_id, u.api_key_id,
        coalesce(u.model, u.model_requested, '') as model, u.endpoint, coalesce(u.service_tier, '') as service_tier,
        coalesce(u.status_code, 0) as status_code, u.cost_status, u.upstream, u.end_user, u.tags, 1 as calls, u.tokens_in,
        u.tokens_cached, u.tokens_cache_write, u.tokens_out, u.tokens_reasoning, u.tokens_audio_in, u.tokens_audio_out, u.cost,
        u.cost_lines, 0::numeric as adjustment, 0::numeric as correction
    from public.usage_logs u where u.state = 'settled'
    union all
    select u.org_id, date_bin('1 hour', case when b.booked then a.at else u.started_at end, '2000-01-01 00:00+00'), u.project_id,
        u.api_key_id, coalesce(u.model, u.model_requested, ''), u.endpoint, coalesce(u.service_tier, ''),
        coalesce(u.status_code, 0), u.cost_status, u.upstream, u.end_user, u.tags, 0, 0, 0, 0, 0, 0, 0, 0, 0, null,
        case when b.booked then a.delta else 0 end, case when b.booked then 0 else a.delta end
    from public.cost_adjustments a
    join public.usage_logs u on u.id = a.call_id and u.started_at = a.call_started_at
    cross join (values (true), (false)) b (booked);

insert into public.hourly_totals
select e.org_id, e.hour, e.project_id, e.api_key_id, e.model, e.endpoint, e.service_tier, e.status_code, e.cost_status,
    e.upstream, 64, sum(e.calls), coalesce(sum(e.tokens_in), 0), coalesce(sum(e.tokens_cached), 0),
    coalesce(sum(e.tokens_cache_write), 0), coalesce(sum(e.tokens_out), 0), coalesce(sum(e.tokens_reasoning), 0),
    coalesce(sum(e.tokens_audio_in), 0), coalesce(sum(e.tokens_audio_out), 0), coalesce(sum(e.cost), 0), sum(e.adjustment),
    sum(e.correction), sum(k.cost_input), sum(k.cost_cached), sum(k.cost_cache_write), sum(k.cost_output),
    sum(k.cost_reasoning), sum(k.cost_audio), sum(k.cost_image), sum(k.cost_tools), sum(k.cost_region)
from pg_temp.entry e cross join lateral app.cost_kinds(e.cost, e.cost_lines, e.tokens_reasoning) k
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;

insert into public.daily_totals as t (
    org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot,
    cost_input, cost_cached, cost_cache_write, cost_output, cost_reasoning, cost_audio, cost_image, cost_tools, cost_region)
select h.org_id, (h.hour at time zone 'utc')::date, h.project_id, h.api_key_id, h.model, h.endpoint, h.service_tier,
    h.status_code, h.cost_status, h.upstream, 64, sum(h.cost_input), sum(h.cost_cached), sum(h.cost_cache_write),
    sum(h.cost_output), sum(h.cost_reasoning), sum(h.cost_audio), sum(h.cost_image), sum(h.cost_tools), sum(h.cost_region)
from public.hourly_totals h where h.cost <> 0
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
on conflict (org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot)
do update set
    cost_input = excluded.cost_input, cost_cached = excluded.cost_cached, cost_cache_write = excluded.cost_cache_write,
    cost_output = excluded.cost_output, cost_reasoning = excluded.cost_reasoning, cost_audio = excluded.cost_audio,
    cost_image = excluded.cost_image, cost_tools = excluded.cost_tools, cost_region = excluded.cost_region;

-- An hour has the labels of its day: where some of a day were counted as (other), those that its sums do not keep apart.
with label as (
    select e.org_id, l.kind, e.hour, (e.hour at time zone 'utc')::date as day, l.name, l.label, e.project_id, e.api_key_id,
        e.upstream, sum(e.calls) as calls, coalesce(sum(e.tokens_in), 0) as tokens_in,
        coalesce(sum(e.tokens_cached), 0) as tokens_cached, coalesce(sum(e.tokens_out), 0) as tokens_out,
        coalesce(sum(e.cost), 0) as cost,
        coalesce(sum(e.calls) filter (where e.cost_status in ('unpriced_model', 'unpriced_dimension')), 0) as unpriced_calls,
        coalesce(sum(e.calls) filter (where e.cost_status in ('no_usage', 'pending_object')), 0) as no_usage_calls,
        coalesce(sum(e.calls) filter (where e.status_code >= 400), 0) as error_calls, sum(e.adjustment) as adjustments,
        sum(e.correction) as corrections
    from pg_temp.entry e
    cross join lateral (
        select 'end_user' as kind, '' as name, e.end_user as label where e.end_user is not null
        union all
        select 'tagged', '', '' where e.tags <> '{}'
        union all
        select 'tag', x.key || '=', x.key || '=' || x.value from jsonb_each_text(e.tags) x
    ) l
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9
), capped as (
    select distinct d.org_id, d.kind, d.day from public.daily_labels d where d.label = '(other)' or d.label like '%=(other)'
), named as (
    select l.*, case
        when c.day is null or exists (select from public.daily_labels d
            where d.org_id = l.org_id and d.kind = l.kind and d.day = l.day and d.label = l.label) then l.label
        when exists (select from public.daily_labels d
            where d.org_id = l.org_id and d.kind = l.kind and d.day = l.day and d.label = l.name || '(other)') then l.name || '(other)'
        else '(other)' end as counted_as
    from label l left join capped c on c.org_id = l.org_id and c.kind = l.kind and c.day = l.day
)
insert into public.hourly_labels
select n.org_id, n.kind, n.hour, n.counted_as, n.project_id, n.api_key_id, n.upstream, 64, sum(n.calls), sum(n.tokens_in),
    sum(n.tokens_cached), sum(n.tokens_out), sum(n.cost), sum(n.unpriced_calls), sum(n.no_usage_calls), sum(n.error_calls),
    sum(n.adjustments), sum(n.corrections)
from named n
group by 1, 2, 3, 4, 5, 6, 7;
-- squawk-ignore ban-drop-view -- made above
drop view pg_temp.entry;

-- A correction of a call that was dropped since no longer says which words it was booked with. What the sums of its day have and
-- the hours lack goes to the hour of the last such correction.
create temporary table late on commit drop as
    select a.org_id, (a.at at time zone 'utc')::date as day, date_bin('1 hour', max(a.at), '2000-01-01 00:00+00') as hour
    from public.cost_adjustments a
    where exists (select from private.dropped_months m where m.month = date_trunc('month', a.call_started_at at time zone 'utc')::date)
      and not exists (select from private.dropped_months m where m.month = date_trunc('month', a.at at time zone 'utc')::date)
    group by 1, 2;
insert into public.hourly_totals as t (
    org_id, hour, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot, adjustments)
select s.org_id, s.hour, s.project_id, s.api_key_id, s.model, s.endpoint, s.service_tier, s.status_code, s.cost_status,
    s.upstream, 64, sum(s.adjustments)
from (
    select l.hour, d.* from pg_temp.late l cross join lateral (
        select d.org_id, d.project_id, d.api_key_id, d.model, d.endpoint, d.service_tier, d.status_code, d.cost_status,
            d.upstream, d.adjustments
        from public.daily_totals d where d.org_id = l.org_id and d.day = l.day
        union all
        select h.org_id, h.project_id, h.api_key_id, h.model, h.endpoint, h.service_tier, h.status_code, h.cost_status,
            h.upstream, -h.adjustments
        from public.hourly_totals h
        where h.org_id = l.org_id and h.hour >= l.day::timestamp at time zone 'utc'
          and h.hour < (l.day + 1)::timestamp at time zone 'utc') d
) s
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
having sum(s.adjustments) <> 0
on conflict (org_id, hour, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot)
do update set adjustments = t.adjustments + excluded.adjustments;
insert into public.hourly_labels as t (org_id, kind, hour, label, project_id, api_key_id, upstream, slot, adjustments)
select s.org_id, s.kind, s.hour, s.label, s.project_id, s.api_key_id, s.upstream, 64, sum(s.adjustments)
from (
    select l.hour, d.* from pg_temp.late l cross join lateral (
        select d.org_id, d.kind, d.label, d.project_id, d.api_key_id, d.upstream, d.adjustments
        from public.daily_labels d where d.org_id = l.org_id and d.day = l.day
        union all
        select h.org_id, h.kind, h.label, h.project_id, h.api_key_id, h.upstream, -h.adjustments
        from public.hourly_labels h
        where h.org_id = l.org_id and h.hour >= l.day::timestamp at time zone 'utc'
          and h.hour < (l.day + 1)::timestamp at time zone 'utc') d
) s
group by 1, 2, 3, 4, 5, 6, 7
having sum(s.adjustments) <> 0
on conflict (org_id, kind, hour, label, project_id, api_key_id, upstream, slot)
do update set adjustments = t.adjustments + excluded.adjustments;
