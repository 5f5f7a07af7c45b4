-- bookings: the rows that every sum of a period adds up: calls and corrections, each with the moment at which it counts
--
-- A call counts at the moment it arrived. A correction has two rows:
--   entry `adjustment`, at the moment it was booked, with its dollars in `cost`: so a correction never changes the sum of cost
--   of a past period, which is what was reported for it
--   entry `correction`, at the moment of its call, with its dollars in `cost_corrected`: the sum of what is known today
-- A fill changes its call's row: the call counts with its cost from then on, still at the moment it arrived.
-- Only calls of the organization's books: sandbox money is never added to real money.
--
-- With the reader's own rights: row level security decides. Only append columns, never reorder: other views use them.
create or replace view public.bookings with (security_invoker = true) as
select
    'call' as entry, c.at, c.call_id, c.call_started_at, c.org_id, c.project_id, c.api_key_id, c.model, c.endpoint, c.service_tier,
    c.status_code, c.end_user, c.tags, c.upstream, c.state, c.deadline_at, c.cost_status, c.tokens_in, c.tokens_cached,
    c.tokens_cache_write, c.tokens_out, c.tokens_reasoning, c.tokens_audio_in, c.tokens_audio_out, c.calls, c.cost, c.adjustments,
    c.cost_corrected, c.unpriced_calls, c.no_usage_calls, c.in_doubt_calls, c.error_calls
from public.booked_calls c
union all
select
    'adjustment', a.at, u.call_id, u.call_started_at, u.org_id, u.project_id, u.api_key_id, u.model, u.endpoint, u.service_tier,
    u.status_code, u.end_user, u.tags, u.upstream, u.state, u.deadline_at, u.cost_status,
    null, null, null, null, null, null, null, 0, a.delta, a.delta, null, 0, 0, 0, 0
from public.cost_adjustments a
join public.booked_calls u on u.call_id = a.call_id and u.call_started_at = a.call_started_at
union all
select
    'correction', u.at, u.call_id, u.call_started_at, u.org_id, u.project_id, u.api_key_id, u.model, u.endpoint, u.service_tier,
    u.status_code, u.end_user, u.tags, u.upstream, u.state, u.deadline_at, u.cost_status,
    null, null, null, null, null, null, null, 0, null, null, a.delta, 0, 0, 0, 0
from public.cost_adjustments a
join public.booked_calls u on u.call_id = a.call_id and u.call_started_at = a.call_started_at;

comment on view public.bookings is
    'Calls and corrections, each at the moment at which it counts; every sum of a period adds up these rows. Filter on at.';
comment on column public.bookings.entry is
    'call, adjustment (a correction at the moment it was booked) or correction (the same one at the moment of its call).';
comment on column public.bookings.at is 'The moment at which it counts, UTC.';
comment on column public.bookings.call_id is 'The call.';
comment on column public.bookings.call_started_at is 'When the call arrived, UTC.';
comment on column public.bookings.org_id is 'The organization.';
comment on column public.bookings.project_id is 'Project of the call.';
comment on column public.bookings.api_key_id is 'Proxy key of the call.';
comment on column public.bookings.model is 'Model that served the call, else the one asked for.';
comment on column public.bookings.endpoint is 'OpenAI''s path.';
comment on column public.bookings.service_tier is 'Tier that served the call.';
comment on column public.bookings.status_code is 'HTTP status the client got.';
comment on column public.bookings.end_user is 'safety_identifier or user of the request.';
comment on column public.bookings.tags is 'Tags the client sent.';
comment on column public.bookings.upstream is 'openai or sandbox: the books.';
comment on column public.bookings.state is 'open or settled.';
comment on column public.bookings.deadline_at is 'A call still open after this moment is in doubt.';
comment on column public.bookings.cost_status is 'Why the call''s cost is what it is, or why it is not known.';
comment on column public.bookings.tokens_in is 'Input tokens of a call, cached ones included; null for corrections.';
comment on column public.bookings.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.bookings.tokens_cache_write is 'Part of tokens_in written to the prompt cache.';
comment on column public.bookings.tokens_out is 'Output tokens of a call, reasoning included.';
comment on column public.bookings.tokens_reasoning is 'Part of tokens_out spent on reasoning.';
comment on column public.bookings.tokens_audio_in is 'Part of tokens_in that is audio.';
comment on column public.bookings.tokens_audio_out is 'Part of tokens_out that is audio.';
comment on column public.bookings.calls is '1 for a call, 0 for a correction.';
comment on column public.bookings.cost is
    'US dollars as reported: of the call, or of the correction at the moment it was booked.';
comment on column public.bookings.adjustments is 'The part of cost that is a correction.';
comment on column public.bookings.cost_corrected is
    'US dollars as known today: of the call, or of the correction at the moment of its call.';
comment on column public.bookings.unpriced_calls is '1 for a call without a cost because no price was known.';
comment on column public.bookings.no_usage_calls is
    '1 for a call without a cost because OpenAI sent no usage, or has not sent it yet.';
comment on column public.bookings.in_doubt_calls is '1 for a call in doubt: still open after its deadline.';
comment on column public.bookings.error_calls is '1 for a call answered with a status of 400 or more.';
revoke all on public.bookings from public, anon, authenticated, service_role;
grant select on public.bookings to authenticated, spendai_analyst;
