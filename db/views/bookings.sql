-- bookings: what every sum is made of, each at the moment it counts
--
-- A call counts when it started. A correction of its cost counts twice: as `adjustment` when it was booked (the sum of
-- `cost` is what was reported then, and never changes afterwards) and as `correction` at its call (the sum of
-- `cost_corrected` is what is known today). Only calls of the current books: play money is never added to real money.
--
-- Invoker rights: row level security decides, whoever reads. Append columns, never reorder: other views stand on them.
create or replace view public.bookings with (security_invoker = true) as
select e.*
from (
    select
        'call' as entry, u.started_at as at, u.id as call_id, u.started_at as call_started_at,
        u.org_id, u.project_id, u.api_key_id, coalesce(u.model, u.model_requested) as model, u.endpoint, u.service_tier,
        u.status_code, u.end_user, u.tags, u.upstream, u.state, u.deadline_at, u.cost_status,
        u.tokens_in, u.tokens_cached, u.tokens_cache_write, u.tokens_out, u.tokens_reasoning, u.tokens_audio_in,
        u.tokens_audio_out, 1 as calls, u.cost, null::numeric(20, 12) as adjustments, u.cost as cost_corrected,
        (u.cost_status in ('unpriced_model', 'unpriced_dimension'))::integer as unpriced_calls,
        (u.cost_status in ('no_usage', 'pending_object'))::integer as no_usage_calls,
        (u.state = 'open' and u.deadline_at < now())::integer as in_doubt_calls,
        (u.status_code >= 400)::integer as error_calls
    from public.usage_logs u
    union all
    select
        'adjustment', a.at, u.id, u.started_at,
        u.org_id, u.project_id, u.api_key_id, coalesce(u.model, u.model_requested), u.endpoint, u.service_tier,
        u.status_code, u.end_user, u.tags, u.upstream, u.state, u.deadline_at, u.cost_status,
        null, null, null, null, null, null, null, 0, a.delta, a.delta, null, 0, 0, 0, 0
    from public.cost_adjustments a
    join public.usage_logs u on u.id = a.call_id and u.started_at = a.call_started_at
    union all
    select
        'correction', u.started_at, u.id, u.started_at,
        u.org_id, u.project_id, u.api_key_id, coalesce(u.model, u.model_requested), u.endpoint, u.service_tier,
        u.status_code, u.end_user, u.tags, u.upstream, u.state, u.deadline_at, u.cost_status,
        null, null, null, null, null, null, null, 0, null, null, a.delta, 0, 0, 0, 0
    from public.cost_adjustments a
    join public.usage_logs u on u.id = a.call_id and u.started_at = a.call_started_at
) e
join public.organizations o on o.id = e.org_id and o.books = e.upstream;

comment on view public.bookings is
    'Calls and corrections by the moment they count at; sums of any kind are sums of this. Filter on at.';
comment on column public.bookings.entry is
    'call, adjustment (a correction when it was booked) or correction (the same one at the moment of its call).';
comment on column public.bookings.at is 'When it counts, UTC.';
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
comment on column public.bookings.deadline_at is 'A call still open after this is in doubt.';
comment on column public.bookings.cost_status is 'Why the call''s cost is what it is, or why it is not known.';
comment on column public.bookings.tokens_in is 'Input tokens of a call; null for corrections.';
comment on column public.bookings.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.bookings.tokens_cache_write is 'Part of tokens_in written to the prompt cache.';
comment on column public.bookings.tokens_out is 'Output tokens of a call.';
comment on column public.bookings.tokens_reasoning is 'Part of tokens_out spent on reasoning.';
comment on column public.bookings.tokens_audio_in is 'Part of tokens_in that is audio.';
comment on column public.bookings.tokens_audio_out is 'Part of tokens_out that is audio.';
comment on column public.bookings.calls is '1 for a call, 0 for a correction.';
comment on column public.bookings.cost is 'US dollars as reported: of the call, or of the correction on the day it was booked.';
comment on column public.bookings.adjustments is 'The part of cost that is a correction.';
comment on column public.bookings.cost_corrected is 'US dollars as known today: of the call, or of a correction at its call.';
comment on column public.bookings.unpriced_calls is '1 for a call without a cost because no price was known.';
comment on column public.bookings.no_usage_calls is '1 for a call without a cost because OpenAI sent no usage (or not yet).';
comment on column public.bookings.in_doubt_calls is '1 for a call whose end is not known.';
comment on column public.bookings.error_calls is '1 for a call answered with a status of 400 or more.';
revoke all on public.bookings from public, anon, authenticated, service_role;
grant select on public.bookings to authenticated, spendai_analyst;
