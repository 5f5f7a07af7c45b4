-- own_rate_take(model, from, until) → number of prices: makes what OpenAI really billed for a model the organization's own prices
--
-- All prices that app.own_rate_offer has for the price model, from 00:00 UTC today on; calls before keep their cost. Each is added
-- by app.price_add, which leaves a line in the audit log.
create or replace function app.own_rate_take(p_model text, p_from date, p_until date) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_offer record;
    v_count integer := 0;
begin
    perform from public.organizations o where o.id = v_org for no key update;  -- two confirmations: one after the other
    for v_offer in select * from app.own_rate_offer(p_from, p_until) o where o.model = p_model loop
        perform app.price_add(v_offer.model, v_offer.dimension, v_offer.service_tier, v_offer.context_min_tokens, v_offer.qualifier,
            v_offer.paid::text, v_offer.unit_qty::text, null,
            format('%s of the price before, as OpenAI billed from %s to %s', v_offer.ratio, v_offer.first_day, v_offer.last_day));
        v_count := v_count + 1;
    end loop;
    if v_count = 0 then
        raise sqlstate 'PT404' using message = 'OpenAI''s books show no own price of this model', detail = 'rate_not_found';
    end if;
    return v_count;
end $$;

comment on function app.own_rate_take is 'Takes over the prices of a model that OpenAI really billed, as the organization''s own from today on.';
revoke execute on function app.own_rate_take from public, anon, authenticated, service_role;
grant execute on function app.own_rate_take to authenticated;
