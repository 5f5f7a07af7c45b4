-- price_bill(quantities, terms, shares) → one line for every quantity above 0 and every share, and the sum of the lines
--
-- cost is null when any quantity has no price. fallback is true when tokens were billed at standard prices because the
-- model has no price in the tier that served the call.
--
-- A line always has quantity, cost, and dimension, model, tier, price_id, unit_price, unit_qty of its price. It has
-- priced_as only when the price of another dimension was used, context_min_tokens only when the price is for long
-- contexts, qualifier only when the quantity has one, and match only when the requested model decided.
--
-- The context is the input tokens of the quantities, unless p_terms has it (context; see price_call).
--
-- p_shares: see price_shares; null for most calls. Their lines come last (see price_share).
create or replace function app.price_bill(
    p_quantities jsonb, p_terms jsonb, p_shares text[], out cost numeric, out cost_lines jsonb, out fallback boolean
)
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_sheet jsonb := p_terms -> 'sheet';
    v_lines jsonb := jsonb_path_query_array(p_quantities, '$.keyvalue() ? (@.value != 0)');  -- an expression is faster than a query
    v_input numeric;
    v_key text;
    v_quantity numeric;
    v_offer jsonb;
    v_cost numeric;
    v_line jsonb;
begin
    cost := 0;
    cost_lines := '[]';
    fallback := false;
    if (p_terms -> 'banded')::boolean then
        v_input := coalesce((p_terms -> 'context')::numeric, app.price_total_input(p_quantities));
    end if;
    for i in 0 .. jsonb_array_length(v_lines) - 1 loop
        v_key := v_lines -> i ->> 'key';
        v_quantity := (v_lines -> i -> 'value')::numeric;
        v_offer := v_sheet -> v_key -> 0;
        if v_offer is null or v_input is not null then  -- no price, or more than one, of which the context decides
            v_offer := app.price_offer(v_sheet, v_key, v_input);
        end if;
        -- Postgres divides to 12 decimals or more while the result is below 10^8; no call costs as much.
        v_cost := round(v_quantity * (v_offer -> 'unit_price')::numeric / (v_offer -> 'unit_qty')::numeric, 12);
        cost := cost + v_cost;
        if v_offer is null or v_offer ->> 'dimension' <> v_key then
            v_offer := app.price_note(v_offer, v_key, p_terms);
        end if;
        cost_lines := cost_lines || (v_offer || jsonb_build_object('quantity', v_quantity, 'cost', trim_scale(v_cost)));
    end loop;
    for i in 1 .. coalesce(cardinality(p_shares), 0) loop
        v_line := app.price_share(cost_lines, p_shares[i], p_terms);
        if v_line is not null then
            cost := cost + (v_line ->> 'cost')::numeric;
            cost_lines := cost_lines || v_line;
        end if;
    end loop;
    if (p_terms -> 'fallback')::boolean then
        fallback := jsonb_path_exists(p_quantities, '$.keyvalue() ? (@.value > 0 && @.key == $token[*])', app.price_groups());
    end if;
    if p_terms ->> 'match' = 'requested' then
        cost_lines := (select coalesce(jsonb_agg(l || '{"match": "requested"}'), '[]')
                       from jsonb_array_elements(cost_lines) as l);
    end if;
end $$;

comment on function app.price_bill is
    'Prices quantities with a price sheet, line by line; cost is null when a price is missing.';
revoke execute on function app.price_bill from public, anon, authenticated, service_role;
grant execute on function app.price_bill to authenticated;
