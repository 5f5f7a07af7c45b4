-- price_reason(...) → why OpenAI's price of a line differs from the ledger's
--
-- free_tokens: OpenAI billed nothing for a quantity. price_date: several prices were used that day, or OpenAI's price is another
-- price of the same thing, of another date; the list price in place of the organization's own, or the reverse, only within a week
-- of the date. own_rate: the same share of our price on all lines of the model, and either a whole percentage or seen on two
-- compared days of the two weeks before; half and double prices are none, those are tiers.
-- price_differs: anything else.
--
-- p_price: dollars of a unit at OpenAI. p_ratio: that price over the ledger's. p_same: all lines of the model have that ratio.
-- For app.reconcile_day: row security does not apply.
create or replace function app.price_reason(
    p_org_id uuid, p_day date, p_line text, p_prices bigint[], p_price numeric, p_ratio numeric, p_same boolean
) returns text
language sql stable
set search_path = ''
as $$
    select case
        when p_line = 'corrections' then 'correction'
        when p_line = 'closed by hand' then 'closed_by_hand'
        when p_price = 0 then 'free_tokens'
        when cardinality(p_prices) > 1 or exists (
            select from public.model_prices used
            join public.model_prices p on p.model = used.model and p.dimension = used.dimension and p.service_tier = used.service_tier
                and p.context_min_tokens = used.context_min_tokens and p.qualifier = used.qualifier
                and (p.org_id is null or p.org_id = p_org_id) and p.valid_from <> used.valid_from
                and (p.org_id is not distinct from used.org_id or greatest(p.valid_from, used.valid_from) between p_day - 7 and p_day + 8)
            where used.id = any (p_prices) and round(p.unit_price / p.unit_qty, 15) = round(p_price, 15)) then 'price_date'
        when p_same and p_ratio not in (0.5, 1, 2) and (p_ratio = round(p_ratio, 2) or (
            select count(distinct r.day) from public.reconciled_parts r
            where r.org_id = p_org_id and r.day < p_day and r.day >= p_day - 14 and r.line = p_line
              and r.reason in ('own_rate', 'price_differs') and (r.detail ->> 'ratio')::numeric = p_ratio) >= 2) then 'own_rate'
        else 'price_differs' end
$$;

comment on function app.price_reason is 'Why OpenAI billed a line at another price: free_tokens, price_date, own_rate or price_differs.';
-- No grant: part of app.reconcile_day.
revoke execute on function app.price_reason from public, anon, authenticated, service_role;
