-- spend_by_end_user: spend per day and end user, of the organization that asks
--
-- Invoker rights: row level security decides, whoever reads. Append columns, never reorder: analysts' queries stand on them.
create or replace view public.spend_by_end_user with (security_invoker = true) as
select
    b.org_id,
    (b.at at time zone 'utc')::date as day,
    b.end_user,
    sum(b.calls) as calls,
    coalesce(sum(b.tokens_in), 0)::bigint as tokens_in,
    coalesce(sum(b.tokens_cached), 0)::bigint as tokens_cached,
    coalesce(sum(b.tokens_out), 0)::bigint as tokens_out,
    coalesce(sum(b.cost), 0) as cost,
    coalesce(sum(b.unpriced_calls), 0) as unpriced_calls,
    coalesce(sum(b.no_usage_calls), 0) as no_usage_calls,
    coalesce(sum(b.in_doubt_calls), 0) as in_doubt_calls,
    coalesce(sum(b.error_calls), 0) as error_calls,
    coalesce(sum(b.adjustments), 0) as adjustments,
    coalesce(sum(b.cost_corrected), 0) as cost_corrected
from public.bookings b
group by 1, 2, 3;

comment on view public.spend_by_end_user is 'Spend per day and end user (UTC). Add up the rows you need; cost is exact.';
comment on column public.spend_by_end_user.org_id is 'The organization.';
comment on column public.spend_by_end_user.day is 'Day, UTC.';
comment on column public.spend_by_end_user.end_user is 'safety_identifier or user of the requests; null: they named none.';
comment on column public.spend_by_end_user.calls is 'Calls, whatever became of them.';
comment on column public.spend_by_end_user.tokens_in is 'Input tokens, cached ones included.';
comment on column public.spend_by_end_user.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.spend_by_end_user.tokens_out is 'Output tokens, reasoning included.';
comment on column public.spend_by_end_user.cost is 'US dollars as reported: calls of the day whose cost is known, and corrections booked on it. See the counts for the others.';
comment on column public.spend_by_end_user.unpriced_calls is 'Calls without a cost because no price was known.';
comment on column public.spend_by_end_user.no_usage_calls is 'Calls without a cost because OpenAI sent no usage (or not yet).';
comment on column public.spend_by_end_user.in_doubt_calls is 'Calls whose end is not known.';
comment on column public.spend_by_end_user.error_calls is 'Calls answered with a status of 400 or more.';
comment on column public.spend_by_end_user.adjustments is 'The part of cost that is corrections booked on this day, of calls of any day.';
comment on column public.spend_by_end_user.cost_corrected is 'US dollars as known today: calls of the day with every later correction of them.';
revoke all on public.spend_by_end_user from public, anon, authenticated, service_role;
grant select on public.spend_by_end_user to authenticated, spendai_analyst;
