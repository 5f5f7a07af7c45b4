-- price_tier_of(served tier, batch) → the tier of the price list at which a call is billed: one of price_tiers
--
-- p_service_tier: as the answer has it. p_batch: whether the call is of a batch; the answer does not tell, because it has
-- `default` then. `scale` is prepaid and is billed at standard prices, like every unknown tier.
create or replace function app.price_tier_of(p_service_tier text, p_batch boolean) returns text
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
    if p_batch then
        return 'batch';
    end if;
    return case lower(btrim(left(p_service_tier, 40)))
        when 'priority' then 'priority'
        when 'fast' then 'priority'
        when 'flex' then 'flex'
        when 'ultrafast' then 'ultrafast'
        else 'standard'
    end;
end $$;

comment on function app.price_tier_of is 'Tier of the price list for a call, from the tier that served it and the batch flag.';
revoke execute on function app.price_tier_of from public, anon, authenticated, service_role;
grant execute on function app.price_tier_of to authenticated;
