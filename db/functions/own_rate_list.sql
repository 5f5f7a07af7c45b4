-- own_rate_list(from, until) → models that OpenAI bills below or above the price in SpendAI, by one ratio on all their lines
--
-- ratio: OpenAI's price over ours on the newest compared day with the reason own_rate (see app.price_reason). days: days with
-- exactly this ratio. amount: dollars that OpenAI billed more (negative: less) on them. p_until is not included.
create or replace function app.own_rate_list(p_from date, p_until date)
returns table (model text, ratio numeric, days bigint, since date, amount numeric)
language sql stable
set search_path = ''
as $$
    with seen as (
        select p.model, p.day, p.amount, (p.detail ->> 'ratio')::numeric as ratio from public.reconciled_parts p
        where p.org_id = (select app.current_org_id()) and p.day >= p_from and p.day < p_until and p.reason = 'own_rate'
    ), newest as (
        select distinct on (s.model) s.model, s.ratio from seen s order by s.model, s.day desc
    )
    select s.model, s.ratio, count(distinct s.day), min(s.day), sum(s.amount)
    from seen s join newest n on n.model = s.model and n.ratio = s.ratio
    group by s.model, s.ratio order by abs(sum(s.amount)) desc, s.model
$$;

comment on function app.own_rate_list is 'Models that OpenAI bills at a rate of the organization''s own, as its books show.';
revoke execute on function app.own_rate_list from public, anon, authenticated, service_role;
grant execute on function app.own_rate_list to authenticated;
