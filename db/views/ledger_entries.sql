-- ledger_entries: the ledger as a list: one row per call, and one per correction at the moment it was booked
--
-- The cost of a call never changes once it is known. A correction is a row of its own, at the moment it was booked, so it never
-- changes what was reported for a past month. Only a fill does: a call of that month gets the cost it lacked.
create or replace view public.ledger_entries with (security_invoker = true) as
select
    b.entry, b.at, b.call_id, b.call_started_at, b.org_id, b.project_id, b.api_key_id, b.model, b.endpoint, b.service_tier,
    b.status_code, b.end_user, b.tags, b.tokens_in, b.tokens_cached, b.tokens_cache_write, b.tokens_out, b.tokens_reasoning,
    b.tokens_audio_in, b.tokens_audio_out, b.cost, b.cost_status, b.state, b.deadline_at
from public.bookings b
where b.entry <> 'correction';

comment on view public.ledger_entries is
    'One row per call and one per correction. The sum of cost over a period of at is what was reported for it.';
comment on column public.ledger_entries.entry is 'call, or adjustment: a correction.';
comment on column public.ledger_entries.at is 'When the call arrived, or when the correction was booked, UTC.';
comment on column public.ledger_entries.call_id is 'The call, or the call that was corrected.';
comment on column public.ledger_entries.call_started_at is 'When that call arrived, UTC.';
comment on column public.ledger_entries.org_id is 'The organization.';
comment on column public.ledger_entries.project_id is 'Project of the call.';
comment on column public.ledger_entries.api_key_id is 'Proxy key of the call.';
comment on column public.ledger_entries.model is 'Model that served the call, else the one asked for.';
comment on column public.ledger_entries.endpoint is 'OpenAI''s path.';
comment on column public.ledger_entries.service_tier is 'Tier that served the call.';
comment on column public.ledger_entries.status_code is 'HTTP status the client got.';
comment on column public.ledger_entries.end_user is 'safety_identifier or user of the request.';
comment on column public.ledger_entries.tags is 'Tags the client sent.';
comment on column public.ledger_entries.tokens_in is 'Input tokens, cached ones included; null for corrections.';
comment on column public.ledger_entries.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.ledger_entries.tokens_cache_write is 'Part of tokens_in written to the prompt cache.';
comment on column public.ledger_entries.tokens_out is 'Output tokens, reasoning included.';
comment on column public.ledger_entries.tokens_reasoning is 'Part of tokens_out spent on reasoning.';
comment on column public.ledger_entries.tokens_audio_in is 'Part of tokens_in that is audio.';
comment on column public.ledger_entries.tokens_audio_out is 'Part of tokens_out that is audio.';
comment on column public.ledger_entries.cost is
    'US dollars; null when not known. Of a correction: what it adds, negative when the cost was too high.';
comment on column public.ledger_entries.cost_status is 'Why the call''s cost is what it is, or why it is not known.';
comment on column public.ledger_entries.state is 'open or settled.';
comment on column public.ledger_entries.deadline_at is 'A call still open after this moment is in doubt.';
revoke all on public.ledger_entries from public, anon, authenticated, service_role;
grant select on public.ledger_entries to authenticated, spendai_analyst;
