-- price_note(price or null, dimension[:qualifier], terms) → a line of a bill, without its quantity and its cost
--
-- Only for lines that need more than the fields of their price: because there is no price, because the price is for another
-- dimension, or because the quantity has a qualifier. With a price: its fields, the dimension that was counted, and
-- priced_as, the dimension of the price, if that is another. Without: the model, and all fields of the price null, but tokens
-- of an unknown tier have its name. In both cases with the qualifier, if there is one.
create or replace function app.price_note(p_offer jsonb, p_key text, p_terms jsonb) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_dimension text := split_part(p_key, ':', 1);
begin
    return coalesce(p_offer, jsonb_build_object(
            'model', p_terms -> 'model', 'price_id', null, 'unit_price', null, 'unit_qty', null,
            'tier', case when app.price_groups() -> 'token' ? v_dimension then p_terms -> 'unknown_tier' end))
        || jsonb_build_object('dimension', v_dimension)
        || case when p_offer ->> 'dimension' <> v_dimension
            then jsonb_build_object('priced_as', p_offer -> 'dimension') else '{}' end
        || case when p_key like '%:%'
            then jsonb_build_object('qualifier', substr(p_key, length(v_dimension) + 2)) else '{}' end;
end $$;

comment on function app.price_note is
    'A line of a bill, without quantity and cost, whose price is missing or for another dimension; part of price_bill.';
revoke execute on function app.price_note from public, anon, authenticated, service_role;
grant execute on function app.price_note to authenticated;
