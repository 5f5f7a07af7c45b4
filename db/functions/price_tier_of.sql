-- price_tier_of(served tier, batch) → the tier of the price list at which a call is billed, or the served name if nobody knows it
--
-- p_service_tier: as the answer has it. p_batch: whether the call is of a batch; the answer does not tell, because it has
-- `default` then. `scale` is prepaid and is billed at standard prices. Any other name is returned in lower case, at most
-- 40 characters: it is none of price_tiers, so tokens have no price in it (see price_terms).
create or replace function app.price_tier_of(p_service_tier text, p_batch boolean) returns text
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_tier text;
begin
    if p_batch then
        return 'batch';
    end if;
    v_tier := lower(btrim(left(p_service_tier, 40)));
    return case
        when v_tier is null or v_tier in ('', 'auto', 'default', 'standard', 'scale') then 'standard'
        when v_tier = 'fast' then 'priority'
        else v_tier
    end;
end $$;

comment on function app.price_tier_of is
    'Tier of the price list for a call, from the tier that served it and the batch flag; an unknown tier stays as it is.';
revoke execute on function app.price_tier_of from public, anon, authenticated, service_role;
grant execute on function app.price_tier_of to authenticated;
