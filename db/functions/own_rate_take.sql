-- own_rate_take(model, ratio, from) → how many prices were added: the rate that OpenAI bills becomes the organization's own price
--
-- For every price that was used on the newest day with this ratio: a price of the organization's own, ratio times as high, from
-- 00:00 UTC of p_from on. Costs that are known do not change by it; `flask prices reprice` corrects past ones.
-- Raises PT409 own_rate_not_seen: the last 62 compared days do not show that ratio. Errors of app.price_add.
create or replace function app.own_rate_take(p_model text, p_ratio numeric, p_from date) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_day date;
    v_price record;
    v_count integer := 0;
begin
    select max(p.day) into v_day from public.reconciled_parts p
    where p.org_id = v_org and p.model = p_model and p.reason = 'own_rate' and (p.detail ->> 'ratio')::numeric = p_ratio
      and p.day >= (now() at time zone 'utc')::date - 62;
    if v_day is null then
        raise sqlstate 'PT409' using message = 'OpenAI''s books do not show this rate for the model', detail = 'own_rate_not_seen';
    end if;
    for v_price in
        select distinct p.dimension, p.service_tier, p.context_min_tokens, p.qualifier, p.unit_price, p.unit_qty
        from app.ledger_lines(v_org, v_day) l join public.model_prices p on p.id = any (l.prices)
        where l.model = p_model
        order by 1, 2, 3, 4
    loop
        perform app.price_add(p_model, v_price.dimension, v_price.service_tier, v_price.context_min_tokens, v_price.qualifier,
            trim_scale(v_price.unit_price * p_ratio)::text, v_price.unit_qty::text, p_from::timestamp at time zone 'utc',
            format('OpenAI billed %s of the price on %s', trim_scale(p_ratio), v_day));
        v_count := v_count + 1;
    end loop;
    return v_count;
end $$;

comment on function app.own_rate_take is 'Makes the rate that OpenAI bills for a model the organization''s own price, from a day on.';
revoke execute on function app.own_rate_take from public, anon, authenticated, service_role;
grant execute on function app.own_rate_take to authenticated;
