-- unpriced_models: models whose calls have no cost because no price is known
create or replace view public.unpriced_models with (security_invoker = true) as
select
    u.org_id,
    coalesce(u.model, u.model_requested) as model,
    u.cost_status,
    count(*) as calls,
    coalesce(sum(u.tokens_in), 0)::bigint as tokens_in,
    coalesce(sum(u.tokens_out), 0)::bigint as tokens_out,
    min(u.started_at) as first_call,
    max(u.started_at) as last_call
from public.usage_logs u
join public.organizations o on o.id = u.org_id and o.books = u.upstream
where u.cost_status in ('unpriced_model', 'unpriced_dimension')
group by 1, 2, 3;

comment on view public.unpriced_models is 'Models that were called without a known price, and how often.';
comment on column public.unpriced_models.org_id is 'The organization.';
comment on column public.unpriced_models.model is 'Model that served the calls, else the one asked for.';
comment on column public.unpriced_models.cost_status is 'unpriced_model: no price at all. unpriced_dimension: none for something that was used.';
comment on column public.unpriced_models.calls is 'Calls without a cost.';
comment on column public.unpriced_models.tokens_in is 'Their input tokens.';
comment on column public.unpriced_models.tokens_out is 'Their output tokens.';
comment on column public.unpriced_models.first_call is 'The first of them, UTC.';
comment on column public.unpriced_models.last_call is 'The latest of them, UTC.';
revoke all on public.unpriced_models from public, anon, authenticated, service_role;
grant select on public.unpriced_models to authenticated, spendai_analyst;
