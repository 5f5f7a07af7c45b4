-- price_bill(quantities, terms) → every quantity above 0 with its price, and their sum
--
-- cost is null when a quantity has no price; fallback says that tokens were billed at standard prices for want of the tier's.
-- A line says only what is worth saying: priced_as when another dimension's price stood in, context_min_tokens when the call
-- was long, qualifier where there is one.
create or replace function app.price_bill(
    p_quantities jsonb, p_terms jsonb, out cost numeric, out cost_lines jsonb, out fallback boolean
)
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_sheet jsonb := p_terms -> 'sheet';
    v_lines jsonb := jsonb_path_query_array(p_quantities, '$.keyvalue() ? (@.value != 0)');  -- no query, which takes longer
    v_input numeric;
    v_key text;
    v_quantity numeric;
    v_offer jsonb;
    v_cost numeric;
begin
    cost := 0;
    cost_lines := '[]';
    fallback := false;
    if (p_terms -> 'banded')::boolean then
        v_input := app.price_total_input(p_quantities);
    end if;
    for i in 0 .. jsonb_array_length(v_lines) - 1 loop
        v_key := v_lines -> i ->> 'key';
        v_quantity := (v_lines -> i -> 'value')::numeric;
        v_offer := v_sheet -> v_key -> 0;
        if v_offer is null or v_input is not null then  -- more than one price may apply
            v_offer := app.price_offer(v_sheet, v_key, v_input);
        end if;
        -- Below 10^8, more than any call costs, Postgres divides to 12 decimals or more.
        v_cost := round(v_quantity * (v_offer -> 'unit_price')::numeric / (v_offer -> 'unit_qty')::numeric, 12);
        cost := cost + v_cost;
        if v_offer is null or v_offer ->> 'dimension' <> v_key then
            v_offer := app.price_note(v_offer, v_key, p_terms);
        end if;
        cost_lines := cost_lines || (v_offer || jsonb_build_object('quantity', v_quantity, 'cost', trim_scale(v_cost)));
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
    'Quantities priced by a price sheet, line by line; cost is null when a price is missing.';
revoke execute on function app.price_bill from public, anon, authenticated, service_role;
grant execute on function app.price_bill to authenticated;
