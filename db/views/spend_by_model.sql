-- spend_by_model: spend per day and model, of the reader's organization
--
-- With the reader's own rights: row level security decides. Only append columns, never reorder: analysts' queries use them.
create or replace view public.spend_by_model with (security_invoker = true) as
select
    b.org_id,
    b.day,
    b.model,
    sum(b.calls)::bigint as calls,
    sum(b.tokens_in)::bigint as tokens_in,
    sum(b.tokens_cached)::bigint as tokens_cached,
    sum(b.tokens_out)::bigint as tokens_out,
    sum(b.cost) as cost,
    sum(b.unpriced_calls)::bigint as unpriced_calls,
    sum(b.no_usage_calls)::bigint as no_usage_calls,
    sum(b.in_doubt_calls)::bigint as in_doubt_calls,
    sum(b.error_calls)::bigint as error_calls,
    sum(b.adjustments) as adjustments,
    sum(b.cost_corrected) as cost_corrected
from public.daily_entries b
group by 1, 2, 3
having sum(b.calls) <> 0 or sum(b.adjustments) <> 0;  -- an unpriced call that was filled later leaves a group of 0 calls

comment on view public.spend_by_model is 'Spend per day and model (UTC). Add up the rows you need; cost is exact.';
comment on column public.spend_by_model.org_id is 'The organization.';
comment on column public.spend_by_model.day is 'Day, UTC.';
comment on column public.spend_by_model.model is
    'Model that served the call, else the one asked for; null when neither is known.';
comment on column public.spend_by_model.calls is 'Calls, settled or not.';
comment on column public.spend_by_model.tokens_in is 'Input tokens, cached ones included.';
comment on column public.spend_by_model.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.spend_by_model.tokens_out is 'Output tokens, reasoning included.';
comment on column public.spend_by_model.cost is
    'US dollars as reported: calls of the day whose cost is known, and corrections booked on that day. Other calls are in the counts.';
comment on column public.spend_by_model.unpriced_calls is 'Calls without a cost because no price was known.';
comment on column public.spend_by_model.no_usage_calls is
    'Calls without a cost because OpenAI sent no usage, or has not sent it yet.';
comment on column public.spend_by_model.in_doubt_calls is 'Calls in doubt: still open after their deadline.';
comment on column public.spend_by_model.error_calls is 'Calls answered with a status of 400 or more.';
comment on column public.spend_by_model.adjustments is
    'The part of cost that is corrections booked on this day, of calls of any day.';
comment on column public.spend_by_model.cost_corrected is
    'US dollars as known today: calls of the day with all their corrections.';
revoke all on public.spend_by_model from public, anon, authenticated, service_role;
grant select on public.spend_by_model to authenticated, spendai_analyst;
