-- price_groups() → groups of dimensions: {token: […], input: […], tool: […], share: […], extra: […], usage: […], fallback: {…}}
--
-- token: every kind of token, the only dimensions that have service tiers. input: tokens of the input, which context
-- bands are measured by. tool: what only the tools of a call report. usage: all others, which tools may not report.
-- share: parts of what the tokens cost. extra: what most calls do not have, tools and shares. fallback: {dimension: dimension}, see app.price_dimensions.
--
-- Pricing runs for every call, so the groups have to cost nothing: as an immutable function without arguments, this one
-- is worked out once per plan, and the plan holds the result as a constant.
create or replace function app.price_groups() returns jsonb
language sql immutable parallel safe
set search_path = ''
as $$
    select jsonb_build_object(
        'token', jsonb_agg(d.dimension) filter (where d.kind in ('input', 'output')),
        'input', jsonb_agg(d.dimension) filter (where d.kind = 'input'),
        'tool', jsonb_agg(d.dimension) filter (where d.kind = 'tool'),
        'share', jsonb_agg(d.dimension) filter (where d.kind = 'share'),
        'extra', jsonb_agg(d.dimension) filter (where d.kind in ('tool', 'share')),
        'usage', jsonb_agg(d.dimension) filter (where d.kind <> 'tool'),
        'fallback', jsonb_object_agg(d.dimension, d.fallback) filter (where d.fallback is not null))
    from app.price_dimensions() as d
$$;

comment on function app.price_groups is
    'Groups of price dimensions (tokens, input tokens, tools, usage) and the dimension whose price stands in for each.';
revoke execute on function app.price_groups from public, anon, authenticated, service_role;
grant execute on function app.price_groups to authenticated;
