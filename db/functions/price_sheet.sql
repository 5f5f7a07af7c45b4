-- price_sheet(organization, model, tier, with extras, input limit, at) → {dimension[:qualifier]: [price, …]} in force
--
-- The prices of a dimension are in the order in which price_offer tries them: those of the model before those of the
-- models *tools and *tokens (tools and tokens of any model), those of the organization before those of the list, the
-- highest context band first. For each of them only the row in force is included: the newest valid_from, then the highest
-- revision. Only tokens have tiers; all other dimensions come from the tier standard.
--
-- p_with_extras: whether the call reports tools, a region or a completion window; otherwise the prices of tools and shares
-- are left out. p_input_limit: the call has at most this many input tokens, so prices for longer contexts are left out;
-- null: not known. Nearly all calls are short, and collecting the prices of long contexts takes half of the time.
create or replace function app.price_sheet(
    p_org_id uuid, p_model text, p_tier text, p_with_extras boolean, p_input_limit integer, p_at timestamptz, out sheet jsonb
)
language plpgsql stable parallel safe
set search_path = ''
set random_page_cost = 1  -- makes the planner use the index: the table is small, but always in memory
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
            -- A list of fixed length: the planner would read the whole table for an array of unknown length.
            where p.model in (p_model, case when p_with_extras then '*tools' end, case when p_with_extras then '*tokens' end)
              and p.service_tier in (p_tier, 'standard')
              and (p.service_tier = p_tier or not app.price_groups() -> 'token' ? p.dimension)
              and (p_with_extras or not app.price_groups() -> 'extra' ? p.dimension)
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
    'Prices of one model in one tier in force at a moment, by dimension, in the order in which they are tried.';
revoke execute on function app.price_sheet from public, anon, authenticated, service_role;
grant execute on function app.price_sheet to authenticated;
