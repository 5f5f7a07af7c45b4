-- price_offer(sheet, dimension[:qualifier], input tokens) → the price of one quantity on a price sheet, or null
--
-- Where the sheet has no price for the dimension, the price of its fallback applies (see price_dimensions). For images
-- that is the price of the same size in any quality, then the price of any size. The prices of a dimension are tried in
-- the order of the sheet: the first whose context band the input exceeds, or that is for any context.
--
-- Searches by one of two tools, web_search and web_search_preview, have a price only where both tools cost the same.
create or replace function app.price_offer(p_sheet jsonb, p_key text, p_input numeric) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_key text;
    v_offer jsonb;
    v_keys text[] := case
        when p_key like 'images:%' then array[p_key, split_part(p_key, '+', 1), 'images']
        else array[p_key, app.price_groups() -> 'fallback' ->> p_key]
    end;
begin
    foreach v_key in array v_keys loop
        for i in 0 .. coalesce(jsonb_array_length(p_sheet -> v_key), 0) - 1 loop
            v_offer := p_sheet -> v_key -> i;
            if coalesce((v_offer -> 'context_min_tokens')::numeric < p_input, true) then
                return v_offer;
            end if;
        end loop;
    end loop;
    if p_key = 'web_search_or_preview_calls' then
        v_offer := p_sheet -> 'web_search_calls' -> 0;
        return case when (v_offer -> 'unit_price')::numeric / (v_offer -> 'unit_qty')::numeric = (
            p_sheet #> '{web_search_preview_calls,0,unit_price}')::numeric / (
            p_sheet #> '{web_search_preview_calls,0,unit_qty}')::numeric then v_offer end;
    end if;
    return null;
end $$;

comment on function app.price_offer is
    'The price on a price sheet that applies to one quantity of a call; null when there is none.';
revoke execute on function app.price_offer from public, anon, authenticated, service_role;
grant execute on function app.price_offer to authenticated;
