-- price_share(lines, dimension:qualifier, terms) → one more line of a bill: a part of what its tokens cost; null when none
--
-- The quantity of the line is what the tokens cost in dollars, earlier shares included; the price says which part of that is
-- added, or taken off when it is below 0. The price of the model itself applies, with this qualifier or with none, before
-- that of the model *tokens (tokens of any model). Without a price the line has no cost. No line where the price is 0, where
-- no tokens were billed, and where their cost is not known: that call has no cost anyway.
create or replace function app.price_share(p_lines jsonb, p_key text, p_terms jsonb) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_sheet jsonb := p_terms -> 'sheet';
    v_offer jsonb := coalesce(
        jsonb_path_query_first(v_sheet -> p_key, '$[*] ? (@.model != "*tokens")'),
        jsonb_path_query_first(v_sheet -> split_part(p_key, ':', 1), '$[*] ? (@.model != "*tokens")'),
        v_sheet -> p_key -> 0);
    v_tokens numeric;
begin
    select case when bool_and(l -> 'cost' <> 'null') then sum((l ->> 'cost')::numeric) end into v_tokens
    from jsonb_array_elements(p_lines) as l
    where app.price_groups() -> 'token' ? (l ->> 'dimension') or app.price_groups() -> 'share' ? (l ->> 'dimension');
    if coalesce(v_tokens, 0) = 0 or v_offer -> 'unit_price' = '0' then
        return null;
    end if;
    return app.price_note(v_offer, p_key, p_terms) || jsonb_build_object('quantity', v_tokens, 'cost',
        trim_scale(round(v_tokens * (v_offer -> 'unit_price')::numeric / (v_offer -> 'unit_qty')::numeric, 12)));
end $$;

comment on function app.price_share is
    'The line of a bill for a share of what its tokens cost (completion window, region); null when there is none.';
revoke execute on function app.price_share from public, anon, authenticated, service_role;
grant execute on function app.price_share to authenticated;
