-- 0038_hourly_sums: sums per hour beside those per day, and what calls cost by kind (input, cached, output, tools, …)
--
-- A reader's day begins at midnight of the organization's time zone, which no sum of a UTC day can answer. The tables are those
-- of days with the hour in place of the day, and are kept in the same way: see app.totals_add.

create table public.hourly_totals (
    org_id uuid not null,
    hour timestamptz not null,
    project_id uuid not null,
    api_key_id uuid not null,
    model text not null,
    endpoint text not null,
    service_tier text not null,
    status_code integer not null,
    cost_status text not null,
    upstream text not null,
    slot integer not null,
    calls bigint not null default 0,
    tokens_in bigint not null default 0,
    tokens_cached bigint not null default 0,
    tokens_cache_write bigint not null default 0,
    tokens_out bigint not null default 0,
    tokens_reasoning bigint not null default 0,
    tokens_audio_in bigint not null default 0,
    tokens_audio_out bigint not null default 0,
    cost numeric not null default 0,
    adjustments numeric not null default 0,
    corrections numeric not null default 0,
    cost_input numeric not null default 0,
    cost_cached numeric not null default 0,
    cost_cache_write numeric not null default 0,
    cost_output numeric not null default 0,
    cost_reasoning numeric not null default 0,
    cost_audio numeric not null default 0,
    cost_image numeric not null default 0,
    cost_tools numeric not null default 0,
    cost_region numeric not null default 0,
    primary key (org_id, hour, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot)
) with (fillfactor = 70);  -- less room than in daily_totals: once an hour is over, few of its rows change

comment on table public.hourly_totals is
    'Sums per hour (UTC) of settled calls and of corrections, exact at every moment; as daily_totals.';
comment on column public.hourly_totals.org_id is 'The organization.';
comment on column public.hourly_totals.hour is 'Beginning of the hour in which the calls began, or in which a correction counts.';
comment on column public.hourly_totals.project_id is 'Project of the calls.';
comment on column public.hourly_totals.api_key_id is 'Proxy key of the calls.';
comment on column public.hourly_totals.model is 'Model that served them, else the one asked for; empty when neither is known.';
comment on column public.hourly_totals.endpoint is 'OpenAI''s path.';
comment on column public.hourly_totals.service_tier is 'Tier that served them; empty when not known.';
comment on column public.hourly_totals.status_code is 'HTTP status the clients got; 0 when not known.';
comment on column public.hourly_totals.cost_status is 'Why their cost is what it is, or why it is not known.';
comment on column public.hourly_totals.upstream is 'openai or sandbox: the books.';
comment on column public.hourly_totals.slot is 'Only says which connection wrote it; add up all slots.';
comment on column public.hourly_totals.calls is 'Settled calls.';
comment on column public.hourly_totals.tokens_in is 'Input tokens, cached ones included.';
comment on column public.hourly_totals.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.hourly_totals.tokens_cache_write is 'Part of tokens_in written to the prompt cache.';
comment on column public.hourly_totals.tokens_out is 'Output tokens, reasoning included.';
comment on column public.hourly_totals.tokens_reasoning is 'Part of tokens_out spent on reasoning.';
comment on column public.hourly_totals.tokens_audio_in is 'Part of tokens_in that is audio.';
comment on column public.hourly_totals.tokens_audio_out is 'Part of tokens_out that is audio.';
comment on column public.hourly_totals.cost is 'US dollars of the calls, as settled.';
comment on column public.hourly_totals.adjustments is 'US dollars of corrections booked in this hour, of calls of any hour.';
comment on column public.hourly_totals.corrections is 'US dollars of corrections of this hour''s calls, booked in any hour.';
comment on column public.hourly_totals.cost_input is
    'Part of cost: input tokens that are text and were neither read from the prompt cache nor written to it.';
comment on column public.hourly_totals.cost_cached is
    'Part of cost: input tokens read from the prompt cache: text, audio and images.';
comment on column public.hourly_totals.cost_cache_write is 'Part of cost: input tokens written to the prompt cache.';
comment on column public.hourly_totals.cost_output is 'Part of cost: output tokens that are text, without reasoning.';
comment on column public.hourly_totals.cost_reasoning is 'Part of cost: output tokens spent on reasoning.';
comment on column public.hourly_totals.cost_audio is
    'Part of cost: audio tokens in and out, seconds of audio, and characters to be spoken.';
comment on column public.hourly_totals.cost_image is 'Part of cost: tokens of images in and out, and images that have a price each.';
comment on column public.hourly_totals.cost_tools is
    'Part of cost: tools and whatever else is billed by a number: searches, containers, seconds of video, requests.';
comment on column public.hourly_totals.cost_region is 'Part of cost: surcharges for the region that processed them.';

create table public.hourly_labels (
    org_id uuid not null,
    kind text not null check (kind in ('end_user', 'tag', 'tagged')),
    hour timestamptz not null,
    label text not null,
    project_id uuid not null,
    api_key_id uuid not null,
    upstream text not null,
    slot integer not null,
    calls bigint not null default 0,
    tokens_in bigint not null default 0,
    tokens_cached bigint not null default 0,
    tokens_out bigint not null default 0,
    cost numeric not null default 0,
    unpriced_calls bigint not null default 0,
    no_usage_calls bigint not null default 0,
    error_calls bigint not null default 0,
    adjustments numeric not null default 0,
    corrections numeric not null default 0,
    primary key (org_id, kind, hour, label, project_id, api_key_id, upstream, slot)
) with (fillfactor = 70);

comment on table public.hourly_labels is
    'Sums per hour (UTC) of the settled calls of each end user and of each tag, exact at every moment; as daily_labels.';
comment on column public.hourly_labels.org_id is 'The organization.';
comment on column public.hourly_labels.kind is 'end_user, tag, or tagged: calls with any tag, each once, however many it has.';
comment on column public.hourly_labels.hour is 'Beginning of the hour in which the calls began, or in which a correction counts.';
comment on column public.hourly_labels.label is 'As in daily_labels, where it is decided which labels of a day are kept apart.';
comment on column public.hourly_labels.project_id is 'Project of the calls.';
comment on column public.hourly_labels.api_key_id is 'Proxy key of the calls.';
comment on column public.hourly_labels.upstream is 'openai or sandbox: the books.';
comment on column public.hourly_labels.slot is 'Only says which connection wrote it; add up all slots.';
comment on column public.hourly_labels.calls is 'Settled calls.';
comment on column public.hourly_labels.tokens_in is 'Input tokens, cached ones included.';
comment on column public.hourly_labels.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.hourly_labels.tokens_out is 'Output tokens, reasoning included.';
comment on column public.hourly_labels.cost is 'US dollars of the calls, as settled.';
comment on column public.hourly_labels.unpriced_calls is 'Calls without a cost because no price was known.';
comment on column public.hourly_labels.no_usage_calls is 'Calls without a cost because OpenAI sent no usage (or not yet).';
comment on column public.hourly_labels.error_calls is 'Calls answered with a status of 400 or more.';
comment on column public.hourly_labels.adjustments is 'US dollars of corrections booked in this hour, of calls of any hour.';
comment on column public.hourly_labels.corrections is 'US dollars of corrections of this hour''s calls, booked in any hour.';

-- Rows that are there get their numbers below.
alter table public.daily_totals
    add column cost_input numeric not null default 0,
    add column cost_cached numeric not null default 0,
    add column cost_cache_write numeric not null default 0,
    add column cost_output numeric not null default 0,
    add column cost_reasoning numeric not null default 0,
    add column cost_audio numeric not null default 0,
    add column cost_image numeric not null default 0,
    add column cost_tools numeric not null default 0,
    add column cost_region numeric not null default 0;
comment on column public.daily_totals.cost_input is
    'Part of cost: input tokens that are text and were neither read from the prompt cache nor written to it.';
comment on column public.daily_totals.cost_cached is
    'Part of cost: input tokens read from the prompt cache: text, audio and images.';
comment on column public.daily_totals.cost_cache_write is 'Part of cost: input tokens written to the prompt cache.';
comment on column public.daily_totals.cost_output is 'Part of cost: output tokens that are text, without reasoning.';
comment on column public.daily_totals.cost_reasoning is 'Part of cost: output tokens spent on reasoning.';
comment on column public.daily_totals.cost_audio is 'Part of cost: audio tokens in and out, seconds of audio, and characters to be spoken.';
comment on column public.daily_totals.cost_image is 'Part of cost: tokens of images in and out, and images that have a price each.';
comment on column public.daily_totals.cost_tools is
    'Part of cost: tools and whatever else is billed by a number: searches, containers, seconds of video, requests.';
comment on column public.daily_totals.cost_region is 'Part of cost: surcharges for the region that processed them.';

alter type app.total_entry add attribute hour timestamptz,
    add attribute cost_input numeric,
    add attribute cost_cached numeric,
    add attribute cost_cache_write numeric,
    add attribute cost_output numeric,
    add attribute cost_reasoning numeric,
    add attribute cost_audio numeric,
    add attribute cost_image numeric,
    add attribute cost_tools numeric,
    add attribute cost_region numeric;
comment on type app.total_entry is 'What one call or one correction adds to the sums of a day and of an hour; see app.totals_add.';

-- What is below must not depend on later versions of functions/cost_kinds.sql, which explains it.
create function app.cost_kinds(
    p_cost numeric, p_cost_lines jsonb, p_tokens_reasoning bigint,
    out cost_input numeric, out cost_cached numeric, out cost_cache_write numeric, out cost_output numeric,
    out cost_reasoning numeric, out cost_audio numeric, out cost_image numeric, out cost_tools numeric, out cost_region numeric
)
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_line jsonb;
    v_cost numeric;
    v_tokens numeric;
    v_reasoning bigint := p_tokens_reasoning;
    v_parts numeric[];
begin
    cost_input := 0;
    cost_cached := 0;
    cost_cache_write := 0;
    cost_output := 0;
    cost_reasoning := 0;
    cost_audio := 0;
    cost_image := 0;
    cost_tools := 0;
    cost_region := 0;
    for i in 0 .. coalesce(case when p_cost > 0 then jsonb_array_length(p_cost_lines) end, 0) - 1 loop
        v_line := p_cost_lines -> i;
        v_cost := (v_line -> 'cost')::numeric;
        case v_line ->> 'dimension'
            when 'input_text' then
                cost_input := cost_input + v_cost;
            when 'output_text' then
                if v_reasoning > 0 then
                    v_tokens := (v_line -> 'quantity')::numeric;
                    cost_reasoning := round(v_cost * least(v_reasoning, v_tokens) / v_tokens, 12);
                    v_cost := v_cost - cost_reasoning;
                    v_reasoning := 0;  -- all of them are the work of the model that was asked, whose lines come first
                end if;
                cost_output := cost_output + v_cost;
            when 'cached_text', 'cached_audio', 'cached_image' then
                cost_cached := cost_cached + v_cost;
            when 'cache_write', 'cache_write_12h' then
                cost_cache_write := cost_cache_write + v_cost;
            when 'input_audio', 'output_audio', 'audio_seconds', 'standby_seconds', 'input_characters' then
                cost_audio := cost_audio + v_cost;
            when 'input_image', 'output_image', 'images' then
                cost_image := cost_image + v_cost;
            when 'regional_processing' then
                cost_region := cost_region + v_cost;
            when 'completion_window' then
                -- Each kind gets the difference of two rounded sums, so that what they get adds up to the line.
                select array_agg(k.cost + round(k.upto * v_cost / k.total, 12) - round((k.upto - k.cost) * v_cost / k.total, 12)
                    order by k.n) into v_parts
                from (
                    select t.cost, t.n, sum(t.cost) over (order by t.n) as upto, coalesce(nullif(sum(t.cost) over (), 0), 1) as total
                    from unnest(array[cost_input, cost_cached, cost_cache_write, cost_output, cost_reasoning, cost_audio,
                        cost_image]) with ordinality t (cost, n)
                ) k;
                cost_input := v_parts[1];
                cost_cached := v_parts[2];
                cost_cache_write := v_parts[3];
                cost_output := v_parts[4];
                cost_reasoning := v_parts[5];
                cost_audio := v_parts[6];
                cost_image := v_parts[7];
            else
                cost_tools := cost_tools + v_cost;
        end case;
    end loop;
end $$;

-- From here on the sums of what is there already. Without this lock calls could be settled between what is added up here and the
-- functions of the triggers, which come after the migrations.
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

alter table private.dropped_months add column has_hours boolean not null default true;
update private.dropped_months set has_hours = false;
comment on column private.dropped_months.has_hours is
    'Whether hourly_totals and hourly_labels have its hours: not of a month that was dropped before these tables were made.';

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
