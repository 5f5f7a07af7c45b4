-- price_tier_of(served tier, batch) → the service_tier of model_prices
--
-- Batch is no tier in OpenAI's answers (they say `default`), so it comes as its own flag. `scale` is prepaid and has list
-- prices; what is not known has them too.
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

comment on function app.price_tier_of is
    'Which price tier a call is billed at, from the tier that served it and the batch flag.';
revoke execute on function app.price_tier_of from public, anon, authenticated, service_role;
grant execute on function app.price_tier_of to authenticated;
