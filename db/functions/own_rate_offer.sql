-- own_rate_offer(from, until) → prices that OpenAI really billed in the period, where these are a fixed share of the price here
--
-- Of each price that lines with reason own_rate were computed from: unit_price and unit_qty as they are, paid: what unit_qty cost at
-- OpenAI, ratio: paid over unit_price on the last of the days. amount: dollars that the ledger is off because of it. Without the
-- prices that the organization has taken over already. p_until is not included.
create or replace function app.own_rate_offer(p_from date, p_until date)
returns table (
    price_id bigint, line text, model text, dimension text, service_tier text, context_min_tokens integer, qualifier text,
    unit_price numeric, unit_qty numeric, paid numeric, ratio numeric, days bigint, first_day date, last_day date, amount numeric
)
language sql stable security definer
set search_path = ''
as $$
    with parts as (
        select r.line, count(*) as days, min(r.day) as first_day, max(r.day) as last_day, sum(r.amount) as amount,
            (array_agg((r.detail ->> 'ratio')::numeric order by r.day desc))[1] as ratio
        from public.reconciled_parts r
        where r.org_id = app.current_org_id() and r.day >= p_from and r.day < p_until and r.reason = 'own_rate'
        group by r.line
    )
    select p.id, r.line, p.model, p.dimension, p.service_tier, p.context_min_tokens, p.qualifier, p.unit_price, p.unit_qty, c.paid,
        r.ratio, r.days, r.first_day, r.last_day, r.amount
    from parts r
    cross join lateral app.ledger_lines(app.current_org_id(), r.last_day) l
    join public.model_prices p on p.id = any (l.prices)
    cross join lateral (select trim_scale(round(p.unit_price * r.ratio, 10)) as paid) c
    where l.line = r.line and p.service_tier = l.tier and p.dimension = l.dimension  -- no price that only stood in for another
      and not exists (
        select from public.model_prices o
        where o.org_id = app.current_org_id() and o.model = p.model and o.dimension = p.dimension and o.service_tier = p.service_tier
          and o.context_min_tokens = p.context_min_tokens and o.qualifier = p.qualifier and o.unit_qty = p.unit_qty and o.unit_price = c.paid)
    order by abs(r.amount) desc, r.line
$$;

comment on function app.own_rate_offer is 'Prices that OpenAI''s books show the organization really pays, to be taken over as its own.';
revoke execute on function app.own_rate_offer from public, anon, authenticated, service_role;
grant execute on function app.own_rate_offer to authenticated;
