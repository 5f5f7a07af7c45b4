-- price_check(...): raises PT400 invalid_price, with the wrong column, for a price that cannot be stored or would never apply
--
-- The parameters are those of price_add, with its defaults filled in. Returns nothing. The price of a share
-- is a part of 1 dollar that the tokens cost: a region adds it, a completion window takes it off, so only that is below 0.
create or replace function app.price_check(
    p_model text, p_dimension text, p_service_tier text, p_context_min_tokens integer, p_qualifier text, p_unit_price text,
    p_unit_qty text, p_valid_from timestamptz, p_note text
) returns void
language plpgsql immutable
set search_path = ''
as $$
declare
    v_tokens boolean := app.price_groups() -> 'token' ? p_dimension;
    v_share boolean := coalesce(app.price_groups() -> 'share' ? p_dimension, false);
    v_dimensions text[] := array(select d.dimension from app.price_dimensions() d);
    v_column text;
    v_message text;
begin
    if coalesce(length(p_model), 0) not between 1 and 200 then
        v_column := 'model'; v_message := 'the name of a model has 1 to 200 characters';
    elsif not coalesce(p_dimension = any (v_dimensions), false) then
        v_column := 'dimension'; v_message := 'a dimension is one of ' || array_to_string(v_dimensions, ', ');
    elsif p_service_tier <> all (app.price_tiers()) then
        v_column := 'service_tier'; v_message := 'a service tier is one of ' || array_to_string(app.price_tiers(), ', ');
    elsif p_service_tier <> 'standard' and not v_tokens then
        v_column := 'service_tier'; v_message := 'only tokens have tiers: everything else is always standard';
    elsif p_context_min_tokens < 0 or (p_context_min_tokens > 0 and not v_tokens) then
        v_column := 'context_min_tokens';
        v_message := 'the context size is 0 or more tokens, and always 0 for dimensions other than tokens';
    elsif length(p_qualifier) > 80 then
        v_column := 'qualifier'; v_message := 'a qualifier has at most 80 characters';
    elsif p_qualifier <> '' and p_dimension not in (
        'images', 'video_seconds', 'container_sessions', 'completion_window', 'regional_processing') then
        v_column := 'qualifier';
        v_message := 'only images, seconds of video, containers, completion windows and regions have a qualifier';
    elsif p_dimension = 'container_sessions' and p_qualifier = '1g' then
        v_column := 'qualifier'; v_message := 'the price of a container of 1 GB has no qualifier';
    elsif (v_share or p_dimension = 'container_sessions') and p_qualifier !~ '^[a-z0-9.-]*$' then
        v_column := 'qualifier';
        v_message := 'the qualifier of a container, completion window or region is in small letters, such as 4g, 2h or eu';
    elsif p_dimension = 'completion_window'
          and coalesce(p_unit_price, '') !~ '^(-0\.[0-9]{1,10}|-1(\.0{1,10})?|0(\.0{1,10})?)$' then
        v_column := 'unit_price';
        v_message := 'what a completion window takes off is a part from -1 to 0, such as -0.3 for 30 %';
    elsif v_share and p_dimension <> 'completion_window'
          and coalesce(p_unit_price, '') !~ '^(0(\.[0-9]{1,10})?|1(\.0{1,10})?)$' then
        v_column := 'unit_price'; v_message := 'what a region adds is a part from 0 to 1, such as 0.1 for 10 %';
    elsif v_share and coalesce(p_unit_qty, '') <> '1' then
        v_column := 'unit_qty'; v_message := 'a share is a part of 1 dollar, so it is the price for 1';
    elsif not v_share and coalesce(p_unit_price, '') !~ '^[0-9]{1,10}(\.[0-9]{1,10})?$' then
        v_column := 'unit_price'; v_message := 'a price is an amount in dollars such as 0.15, with at most ten decimals';
    elsif coalesce(p_unit_qty, '') !~ '^[1-9][0-9]{0,11}$' then
        v_column := 'unit_qty'; v_message := 'the quantity a price is for is a whole number such as 1000000';
    elsif p_valid_from not between '2015-01-01T00:00:00Z' and '2100-01-01T00:00:00Z' then
        v_column := 'valid_from'; v_message := 'a price comes into force between 2015 and 2100';
    elsif length(p_note) > 1000 then
        v_column := 'note'; v_message := 'a note has at most 1000 characters';
    else
        return;
    end if;
    raise sqlstate 'PT400' using message = v_message, detail = 'invalid_price', column = v_column;
end $$;

comment on function app.price_check is 'Refuses a price that cannot be stored or would never apply, naming the wrong column.';
-- No grant: part of price_add.
revoke execute on function app.price_check from public, anon, authenticated, service_role;
