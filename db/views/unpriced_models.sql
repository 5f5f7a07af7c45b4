-- unpriced_models: models with calls that have no cost because a price is missing, per organization and cost status
--
-- Only calls of the organization's books are counted: those to OpenAI or those to the sandbox.
create or replace view public.unpriced_models with (security_invoker = true) as
select
    m.org_id,
    m.model,
    m.cost_status,
    m.calls,
    m.tokens_in,
    m.tokens_out,
    m.first_call,
    m.last_call,
    array(select distinct d #>> '{}' from jsonb_path_query(m.missing, '$[*][*]') as d order by 1) as dimensions
from (
    select
        u.org_id,
        coalesce(u.model, u.model_requested) as model,
        u.cost_status,
        count(*) as calls,
        coalesce(sum(u.tokens_in), 0)::bigint as tokens_in,
        coalesce(sum(u.tokens_out), 0)::bigint as tokens_out,
        min(u.started_at) as first_call,
        max(u.started_at) as last_call,
        -- Of all calls only the different lists of names: a model has few.
        jsonb_agg(distinct coalesce(
            jsonb_path_query_array(u.cost_lines, '$[*] ? (@.price_id == null).dimension'), '[]')) as missing
    from public.usage_logs u
    join public.organizations o on o.id = u.org_id and o.books = u.upstream
    where u.cost_status in ('unpriced_model', 'unpriced_dimension')
    group by 1, 2, 3
) as m;

comment on view public.unpriced_models is 'Models whose calls have no cost because a price is missing, and the number of these calls.';
comment on column public.unpriced_models.org_id is 'The organization.';
comment on column public.unpriced_models.model is 'Model that served the calls; where the answers name none, the requested one.';
comment on column public.unpriced_models.cost_status is 'unpriced_model: the model has no price. unpriced_dimension: a dimension that was used has no price.';
comment on column public.unpriced_models.calls is 'Number of calls without a cost.';
comment on column public.unpriced_models.tokens_in is 'Input tokens of these calls.';
comment on column public.unpriced_models.tokens_out is 'Output tokens of these calls.';
comment on column public.unpriced_models.first_call is 'When the first of these calls arrived, UTC.';
comment on column public.unpriced_models.last_call is 'When the latest of these calls arrived, UTC.';
comment on column public.unpriced_models.dimensions is
    'What these calls used and had no price for: names of dimensions, or of counts that nobody knows.';
revoke all on public.unpriced_models from public, anon, authenticated, service_role;
grant select on public.unpriced_models to authenticated, spendai_analyst;
