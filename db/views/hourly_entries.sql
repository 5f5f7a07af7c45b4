-- hourly_entries: as daily_entries, by the hour: the hourly totals of settled calls, and a row for each open call
--
-- For a part of an hour, and for hours before app.hours_since(), add up bookings.
--
-- Both parts of the union have the same types, so that Postgres computes only the columns that a query asks for.
-- `is true` keeps the condition on the books out of the joins: it is looked up in a small table made once, where a join would read
-- organizations again for each row, because estimates of tables without statistics are low. People see one organization; comparing
-- with that one alone takes less time for each row than looking it up.
--
-- With the reader's own rights: row level security decides. Only append columns, never reorder: other views use them.
create or replace view public.hourly_entries with (security_invoker = true) as
select
    t.org_id, t.hour, t.project_id, t.api_key_id, nullif(t.model, '') as model, t.endpoint,
    nullif(t.service_tier, '') as service_tier, nullif(t.status_code, 0) as status_code, t.cost_status,
    t.calls, t.tokens_in, t.tokens_cached, t.tokens_cache_write, t.tokens_out, t.tokens_reasoning, t.tokens_audio_in,
    t.tokens_audio_out, t.cost + t.adjustments as cost, t.adjustments, t.cost + t.corrections as cost_corrected,
    case when t.cost_status in ('unpriced_model', 'unpriced_dimension') then t.calls else 0 end as unpriced_calls,
    case when t.cost_status in ('no_usage', 'pending_object') then t.calls else 0 end as no_usage_calls,
    0 as in_doubt_calls,
    case when t.status_code >= 400 then t.calls else 0 end as error_calls,
    t.cost_input, t.cost_cached, t.cost_cache_write, t.cost_output, t.cost_reasoning, t.cost_audio, t.cost_image,
    t.cost_tools, t.cost_region
from public.hourly_totals t
where (case when t.org_id = (select o.id from public.organizations o order by o.id limit 1)
    then t.upstream = (select o.books from public.organizations o order by o.id limit 1)
    else (t.org_id, t.upstream) in (select o.id, o.books from public.organizations o) end) is true
union all
select
    u.org_id, date_bin('1 hour', u.started_at, '2000-01-01 00:00+00'), u.project_id, u.api_key_id, u.model, u.endpoint, null, null,
    null,
    1::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::numeric, 0::numeric, 0::numeric,
    0::bigint, 0::bigint, (u.deadline_at < now())::integer, 0::bigint,
    0::numeric, 0::numeric, 0::numeric, 0::numeric, 0::numeric, 0::numeric, 0::numeric, 0::numeric, 0::numeric
from app.calls_open() u
join public.organizations o on o.id = u.org_id and o.books = u.upstream;

comment on view public.hourly_entries is
    'Hourly totals of settled calls, and a row for each open call. Several rows may agree in everything but their numbers: add up.';
comment on column public.hourly_entries.org_id is 'The organization.';
comment on column public.hourly_entries.hour is 'Beginning of the hour in which the calls arrived or corrections were booked.';
comment on column public.hourly_entries.project_id is 'Project of the calls.';
comment on column public.hourly_entries.api_key_id is 'Proxy key of the calls.';
comment on column public.hourly_entries.model is 'Model that served them, else the one asked for.';
comment on column public.hourly_entries.endpoint is 'OpenAI''s path.';
comment on column public.hourly_entries.service_tier is 'Tier that served them.';
comment on column public.hourly_entries.status_code is 'HTTP status the clients got.';
comment on column public.hourly_entries.cost_status is
    'Why their cost is what it is, or why it is not known; null for an open call.';
comment on column public.hourly_entries.calls is
    'Calls; 0 in a row of corrections only. May be below 0, where an unpriced call was filled later: add up.';
comment on column public.hourly_entries.tokens_in is 'Input tokens, cached ones included.';
comment on column public.hourly_entries.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.hourly_entries.tokens_cache_write is 'Part of tokens_in written to the prompt cache.';
comment on column public.hourly_entries.tokens_out is 'Output tokens, reasoning included.';
comment on column public.hourly_entries.tokens_reasoning is 'Part of tokens_out spent on reasoning.';
comment on column public.hourly_entries.tokens_audio_in is 'Part of tokens_in that is audio.';
comment on column public.hourly_entries.tokens_audio_out is 'Part of tokens_out that is audio.';
comment on column public.hourly_entries.cost is
    'US dollars as reported: of the hour''s calls, and of corrections booked in that hour.';
comment on column public.hourly_entries.adjustments is 'The part of cost that is corrections.';
comment on column public.hourly_entries.cost_corrected is
    'US dollars as known today: of the hour''s calls with all their corrections.';
comment on column public.hourly_entries.unpriced_calls is 'Calls without a cost because no price was known.';
comment on column public.hourly_entries.no_usage_calls is
    'Calls without a cost because OpenAI sent no usage, or has not sent it yet.';
comment on column public.hourly_entries.in_doubt_calls is 'Calls in doubt: still open after their deadline.';
comment on column public.hourly_entries.error_calls is 'Calls answered with a status of 400 or more.';
comment on column public.hourly_entries.cost_input is
    'Part of cost: input tokens that are text and were neither read from the prompt cache nor written to it.';
comment on column public.hourly_entries.cost_cached is
    'Part of cost: input tokens read from the prompt cache: text, audio and images.';
comment on column public.hourly_entries.cost_cache_write is 'Part of cost: input tokens written to the prompt cache.';
comment on column public.hourly_entries.cost_output is 'Part of cost: output tokens that are text, without reasoning.';
comment on column public.hourly_entries.cost_reasoning is 'Part of cost: output tokens spent on reasoning.';
comment on column public.hourly_entries.cost_audio is
    'Part of cost: audio tokens in and out, seconds of audio, and characters to be spoken.';
comment on column public.hourly_entries.cost_image is
    'Part of cost: tokens of images in and out, and images that have a price each.';
comment on column public.hourly_entries.cost_tools is
    'Part of cost: tools and whatever else is billed by a number: searches, containers, seconds of video, requests.';
comment on column public.hourly_entries.cost_region is 'Part of cost: surcharges for the region that processed them.';
revoke all on public.hourly_entries from public, anon, authenticated, service_role;
grant select on public.hourly_entries to authenticated, spendai_analyst;
