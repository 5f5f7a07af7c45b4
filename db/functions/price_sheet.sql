-- price_sheet(organization, model, tier, with tools, input limit, at) → {dimension[:qualifier]: [price, …]} in force then
--
-- The prices of a dimension stand in the order in which they are tried: the model's own before the provider-wide *tools,
-- the organization's before the list's, the highest context band first. Of one kind only the row in force is there: the
-- newest valid_from, then the highest revision. What is not a token has no tier and always costs standard.
--
-- p_input_limit: no call has more input tokens than this, so prices for longer ones are left out; null: any may come.
-- Nearly all calls are short, and making room for the prices of long ones takes half of the time.
create or replace function app.price_sheet(
    p_org_id uuid, p_model text, p_tier text, p_with_tools boolean, p_input_limit integer, p_at timestamptz, out sheet jsonb
)
language plpgsql stable parallel safe
set search_path = ''
set random_page_cost = 1  -- the list is always in memory: one index, even though the table is small
set enable_bitmapscan = off
as $$
begin
    select coalesce(jsonb_object_agg(d.key, d.prices), '{}') into sheet
    from (
        select case p.qualifier when '' then p.dimension else p.dimension || ':' || p.qualifier end as key,
            jsonb_agg(
                jsonb_build_object('dimension', p.dimension, 'model', p.model, 'tier', p.service_tier, 'price_id', p.id,
                    'unit_price', trim_scale(p.unit_price), 'unit_qty', p.unit_qty)
                || case p.context_min_tokens when 0 then '{}'
                    else jsonb_build_object('context_min_tokens', p.context_min_tokens) end) as prices
        from (
            select distinct on (p.dimension, p.qualifier, p.model = p_model, p.org_id is null, p.context_min_tokens)
                p.id, p.model, p.dimension, p.service_tier, p.context_min_tokens, p.qualifier, p.unit_price, p.unit_qty
            from public.model_prices p
            where p.model in (p_model, case when p_with_tools then '*tools' end)
              and p.service_tier in (p_tier, 'standard')
              and (p.service_tier = p_tier or not app.price_groups() -> 'token' ? p.dimension)
              and (p_with_tools or not app.price_groups() -> 'tool' ? p.dimension)
              and (p.org_id is null or p.org_id = p_org_id)
              and (p_input_limit is null or p.context_min_tokens < p_input_limit)
              and p.valid_from <= p_at
            order by p.dimension, p.qualifier, p.model = p_model desc, p.org_id is null, p.context_min_tokens desc,
                p.valid_from desc, p.revision desc
        ) as p  -- jsonb_agg keeps the order of its rows
        group by p.dimension, p.qualifier
    ) as d;
end $$;

comment on function app.price_sheet is
    'Prices of one model in one tier in force at a moment, by dimension, the first that fits first.';
revoke execute on function app.price_sheet from public, anon, authenticated, service_role;
grant execute on function app.price_sheet to authenticated;
