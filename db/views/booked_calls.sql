-- booked_calls: every call with the moment at which it counts (at: when it arrived) and the numbers that sums add up
--
-- Only calls of the organization's books: sandbox money is never added to real money. View bookings adds the corrections.
--
-- With the reader's own rights: row level security decides. Only append columns, never reorder: other views use them.
create or replace view public.booked_calls with (security_invoker = true) as
select
    u.started_at as at, u.id as call_id, u.started_at as call_started_at,
    u.org_id, u.project_id, u.api_key_id, coalesce(u.model, u.model_requested) as model, u.endpoint, u.service_tier,
    u.status_code, u.end_user, u.tags, u.upstream, u.state, u.deadline_at, u.cost_status,
    u.tokens_in, u.tokens_cached, u.tokens_cache_write, u.tokens_out, u.tokens_reasoning, u.tokens_audio_in,
    u.tokens_audio_out, 1 as calls, u.cost, null::numeric(20, 12) as adjustments, u.cost as cost_corrected,
    (u.cost_status in ('unpriced_model', 'unpriced_dimension'))::integer as unpriced_calls,
    (u.cost_status in ('no_usage', 'pending_object'))::integer as no_usage_calls,
    (u.state = 'open' and u.deadline_at < now())::integer as in_doubt_calls,
    (u.status_code >= 400)::integer as error_calls,
    u.session_id
from public.usage_logs u
join public.organizations o on o.id = u.org_id and o.books = u.upstream;

comment on view public.booked_calls is
    'Every call as it counts in sums; together with corrections these are the bookings. Filter on at.';
comment on column public.booked_calls.at is 'The moment at which it counts, UTC: when it arrived.';
comment on column public.booked_calls.call_id is 'The call.';
comment on column public.booked_calls.call_started_at is 'When the call arrived, UTC.';
comment on column public.booked_calls.org_id is 'The organization.';
comment on column public.booked_calls.project_id is 'Project of the call.';
comment on column public.booked_calls.api_key_id is 'Proxy key of the call.';
comment on column public.booked_calls.model is 'Model that served the call, else the one asked for.';
comment on column public.booked_calls.endpoint is 'OpenAI''s path.';
comment on column public.booked_calls.service_tier is 'Tier that served the call.';
comment on column public.booked_calls.status_code is 'HTTP status the client got.';
comment on column public.booked_calls.end_user is 'safety_identifier or user of the request.';
comment on column public.booked_calls.tags is 'Tags the client sent.';
comment on column public.booked_calls.upstream is 'openai or sandbox: the books.';
comment on column public.booked_calls.state is 'open or settled.';
comment on column public.booked_calls.deadline_at is 'A call still open after this moment is in doubt.';
comment on column public.booked_calls.cost_status is 'Why the call''s cost is what it is, or why it is not known.';
comment on column public.booked_calls.tokens_in is 'Input tokens, cached ones included.';
comment on column public.booked_calls.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.booked_calls.tokens_cache_write is 'Part of tokens_in written to the prompt cache.';
comment on column public.booked_calls.tokens_out is 'Output tokens, reasoning included.';
comment on column public.booked_calls.tokens_reasoning is 'Part of tokens_out spent on reasoning.';
comment on column public.booked_calls.tokens_audio_in is 'Part of tokens_in that is audio.';
comment on column public.booked_calls.tokens_audio_out is 'Part of tokens_out that is audio.';
comment on column public.booked_calls.calls is 'Always 1.';
comment on column public.booked_calls.cost is 'US dollars as settled; null when not known.';
comment on column public.booked_calls.adjustments is 'Always null: corrections are rows of their own in bookings.';
comment on column public.booked_calls.cost_corrected is
    'The same as cost: corrections are rows of their own in bookings.';
comment on column public.booked_calls.unpriced_calls is '1 for a call without a cost because no price was known.';
comment on column public.booked_calls.no_usage_calls is
    '1 for a call without a cost because OpenAI sent no usage, or has not sent it yet.';
comment on column public.booked_calls.in_doubt_calls is '1 for a call in doubt: still open after its deadline.';
comment on column public.booked_calls.error_calls is '1 for a call answered with a status of 400 or more.';
comment on column public.booked_calls.session_id is 'Session over WebSocket it was made in: sessions.id.';
revoke all on public.booked_calls from public, anon, authenticated, service_role;
grant select on public.booked_calls to authenticated, spendai_analyst;
