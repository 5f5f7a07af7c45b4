-- 0039_hourly_sums: sums per hour beside those per day
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

alter type app.total_entry add attribute hour timestamptz;
comment on type app.total_entry is 'What one call or one correction adds to the sums of a day and of an hour; see app.totals_add.';

alter table private.dropped_months add column has_hours boolean not null default true;
update private.dropped_months set has_hours = false;
comment on column private.dropped_months.has_hours is
    'Whether hourly_totals and hourly_labels have its hours: not of a month that was dropped before these tables were made.';
