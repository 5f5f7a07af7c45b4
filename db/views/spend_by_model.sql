-- spend_by_model: spend per day and model, of the organization that asks
--
-- Invoker rights: row level security of usage_logs decides, whoever reads. Only calls of the current books count, so play
-- money is never added to real money. Append columns, never reorder: analysts' queries stand on them.
create or replace view public.spend_by_model with (security_invoker = true) as
select
    u.org_id,
    (u.started_at at time zone 'utc')::date as day,
    coalesce(u.model, u.model_requested) as model,
    count(*) as calls,
    coalesce(sum(u.tokens_in), 0)::bigint as tokens_in,
    coalesce(sum(u.tokens_cached), 0)::bigint as tokens_cached,
    coalesce(sum(u.tokens_out), 0)::bigint as tokens_out,
    coalesce(sum(u.cost), 0) as cost,
    count(*) filter (where u.cost_status in ('unpriced_model', 'unpriced_dimension')) as unpriced_calls,
    count(*) filter (where u.cost_status in ('no_usage', 'pending_object')) as no_usage_calls,
    count(*) filter (where u.state = 'open' and u.deadline_at < now()) as in_doubt_calls,
    count(*) filter (where u.status_code >= 400) as error_calls
from public.usage_logs u
join public.organizations o on o.id = u.org_id and o.books = u.upstream
group by 1, 2, 3;

comment on view public.spend_by_model is 'Spend per day and model (UTC). Add up the rows you need; cost is exact.';
comment on column public.spend_by_model.org_id is 'The organization.';
comment on column public.spend_by_model.day is 'Day, UTC.';
comment on column public.spend_by_model.model is 'Model that served the call, else the one asked for; null when neither is known.';
comment on column public.spend_by_model.calls is 'Calls, whatever became of them.';
comment on column public.spend_by_model.tokens_in is 'Input tokens, cached ones included.';
comment on column public.spend_by_model.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.spend_by_model.tokens_out is 'Output tokens, reasoning included.';
comment on column public.spend_by_model.cost is 'US dollars of the calls whose cost is known; see the counts beside it for the others.';
comment on column public.spend_by_model.unpriced_calls is 'Calls without a cost because no price was known.';
comment on column public.spend_by_model.no_usage_calls is 'Calls without a cost because OpenAI sent no usage (or not yet).';
comment on column public.spend_by_model.in_doubt_calls is 'Calls whose end is not known.';
comment on column public.spend_by_model.error_calls is 'Calls answered with a status of 400 or more.';
revoke all on public.spend_by_model from public, anon, authenticated, service_role;
grant select on public.spend_by_model to authenticated;
