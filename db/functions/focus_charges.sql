-- focus_charges(organization, first day of a month) → the charges of the month (UTC) for a FOCUS file: one row per day and kind of charge
--
-- kind:
--   usage         quantities that calls used at one price: grouped by day, OpenAI's project, project, key, tags and price
--   by hand       what the costs of these calls have beside their lines: costs that a person typed in
--   correction    a correction booked in this month, of a call whose month is not closed; in a closed month, every correction
--                 of its calls up to the close
--   difference    closed months only: what OpenAI billed more or less than the ledger says, one row per reason
--   restatement   an earlier closed month, by what the fetches of this month changed in its books since it was closed
--
-- Of a closed month the rows are as of its close, and billed adds up to what OpenAI billed (month_closes.openai). Of any other
-- month it adds up to the ledger's cost. Calls without a cost have no row: their number is app.month_report's.
-- A line whose price is below 0, such as the discount of a completion window, has a quantity below 0 instead: FOCUS knows no such
-- prices. pricing_quantity: in units of unit_qty. list_price: for unit_qty units, the list price of that day; the organization's own price
-- where there is no list price. list_cost, contracted: pricing_quantity at the list price, and at the price that applied; of other
-- kinds than usage what was billed, except for reasons that are discounts. Refused when the calls of the month were dropped.
create or replace function app.focus_charges(p_org_id uuid, p_month date)
returns table (
    kind text, since date, until date, closed boolean, openai_project_id text, openai_project text, project text, key text, tags jsonb,
    model text, dimension text, qualifier text, tier text, context_min_tokens integer, quantity numeric, unit_price numeric,
    unit_qty numeric, billed numeric, list_price numeric, price_id bigint, pricing_quantity numeric, list_cost numeric,
    contracted numeric, reason text
)
language plpgsql stable
set search_path = ''
set timezone = 'UTC'
as $$
#variable_conflict use_column
begin
    if p_month in (select m from app.months_dropped() m) then
        raise sqlstate 'PT409' using message = 'the calls of the month were dropped', detail = 'month_dropped';
    end if;
    return query
    with closes as (  -- months that are closed now
        select c.* from (select distinct on (m.month) m.* from public.month_closes m where m.org_id = p_org_id order by m.month, m.n desc) c
        where c.status = 'closed'
    ), this as (
        select c.id, c.at, c.named from (values (1)) one (x) left join closes c on c.month = p_month
    ), calls as (
        select u.id, u.started_at, u.started_at::date as day, u.openai_project as openai_project_id, u.project_id, u.api_key_id, u.tags,
            coalesce(u.model, u.model_requested) as model, u.cost, u.cost_lines
        from public.usage_logs u
        join public.organizations o on o.id = u.org_id and o.books = u.upstream
        cross join this t
        where u.org_id = p_org_id and u.cost is not null
          and u.started_at >= p_month::timestamptz and u.started_at < p_month::timestamptz + interval '1 month'
          and (t.id is null or (u.settled_at <= t.at and not exists (
              select from public.cost_fills f where f.call_id = u.id and f.call_started_at = u.started_at and f.at > t.at and f.cost is not null)))
    ), used as (
        select c.day, c.openai_project_id, c.project_id, c.api_key_id, c.tags, coalesce(l ->> 'model', c.model) as model,
            l ->> 'dimension' as dimension, l ->> 'qualifier' as qualifier, l ->> 'tier' as tier,
            coalesce((l ->> 'context_min_tokens')::integer, 0) as context, (l ->> 'price_id')::bigint as price_id,
            abs((l ->> 'unit_price')::numeric) as unit_price, (l ->> 'unit_qty')::numeric as unit_qty, l ->> 'priced_as' as priced_as,
            sum((l ->> 'quantity')::numeric * case when (l ->> 'unit_price')::numeric < 0 then -1 else 1 end) as quantity,
            sum((l ->> 'cost')::numeric) as billed
        from calls c cross join lateral jsonb_array_elements(c.cost_lines) l
        where l ->> 'cost' is not null
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
    ), charges as (
        select 'usage' as kind, u.day, u.openai_project_id, u.project_id, u.api_key_id, u.tags, u.model, u.dimension, u.qualifier, u.tier,
            u.context, u.quantity, u.unit_price, u.unit_qty, u.billed, u.price_id,
            coalesce(case when p.org_id is null then u.unit_price else (
                select abs(s.unit_price) * u.unit_qty / s.unit_qty from public.model_prices s
                where s.org_id is null and s.model = u.model and s.dimension = p.dimension and s.service_tier = p.service_tier
                  and s.context_min_tokens = p.context_min_tokens and s.qualifier = p.qualifier and s.valid_from < (u.day + 1)::timestamptz
                order by s.valid_from desc, s.revision desc limit 1) end, u.unit_price) as list_price
        from used u left join public.model_prices p on p.id = u.price_id
        union all
        select 'by hand', c.day, c.openai_project_id, c.project_id, c.api_key_id, c.tags, c.model, null, null, null, null, null, null, null,
            sum(c.cost - coalesce((select sum((l ->> 'cost')::numeric) from jsonb_array_elements(c.cost_lines) l), 0)), null, null
        from calls c
        group by 2, 3, 4, 5, 6, 7
        having sum(c.cost - coalesce((select sum((l ->> 'cost')::numeric) from jsonb_array_elements(c.cost_lines) l), 0)) <> 0
        union all
        select 'correction', u.started_at::date, u.openai_project, u.project_id, u.api_key_id, u.tags, coalesce(u.model, u.model_requested),
            null, null, null, null, null, null, null, sum(a.delta), null, null
        from public.cost_adjustments a
        join public.usage_logs u on u.id = a.call_id and u.started_at = a.call_started_at
        join public.organizations o on o.id = u.org_id and o.books = u.upstream
        cross join this t
        left join closes c on c.month = date_trunc('month', u.started_at)::date
        where a.org_id = p_org_id and case when t.id is not null then c.id = t.id and a.at <= t.at
            else c.id is null and a.at >= p_month::timestamptz and a.at < p_month::timestamptz + interval '1 month' end
        group by 2, 3, 4, 5, 6, 7
        union all
        select 'correction', d.day, null, null, null, '{}', null, null, null, null, null, null, null, null, d.delta, null, null
        from app.focus_dropped(p_org_id, p_month) d cross join this t where t.id is null
    )
    select c.kind, c.day, c.day + 1, t.id is not null, c.openai_project_id, q.name, p.name, k.name || ' ' || k.prefix || '…', c.tags,
        c.model, c.dimension, c.qualifier, c.tier, c.context, trim_scale(c.quantity), c.unit_price, c.unit_qty, trim_scale(c.billed),
        trim_scale(c.list_price), c.price_id, trim_scale(c.quantity / c.unit_qty),
        trim_scale(coalesce(c.quantity / c.unit_qty * c.list_price, c.billed)),
        trim_scale(coalesce(c.quantity / c.unit_qty * c.unit_price, c.billed)), null
    from charges c cross join this t
    left join public.projects p on p.id = c.project_id
    left join public.api_keys k on k.id = c.api_key_id
    left join public.openai_projects q on q.org_id = p_org_id and q.id = c.openai_project_id
    union all
    select x.kind, x.month, (x.month + interval '1 month')::date, x.kind = 'difference', null, null, null, null, '{}', null, null, null,
        null, null, null, null, null, x.billed, null, null, null,
        case when x.reason in ('free_tokens', 'own_rate') then 0 else x.billed end, case when x.reason = 'free_tokens' then 0 else x.billed end, x.reason
    from (
        select 'difference' as kind, p_month as month, n.value::numeric as billed, n.key as reason
        from this t cross join lateral jsonb_each_text(t.named) n
        union all
        select 'restatement', c.month, trim_scale(sum(r.changed)), null
        from closes c cross join lateral (
            select d.fetch_id, d.n, d.amount - lag(d.amount) over (partition by d.day order by d.n) as changed
            from public.openai_days d where d.org_id = p_org_id and d.day >= c.month and d.day < c.month + interval '1 month') r
        join public.openai_fetches f on f.id = r.fetch_id
        where c.month < p_month and date_trunc('month', f.at)::date = p_month
          and r.n > (select max(g.n) from public.openai_fetches g where g.id = any (c.fetch_ids))
        group by c.month having sum(r.changed) <> 0
    ) x
    order by 2, 1, 18 desc, 10, 11, 7, 8;
end $$;

comment on function app.focus_charges is 'Charges of a month for an export in FOCUS; of a closed month they add up to what OpenAI billed.';
-- No grant: for the operator, through flask export focus, and part of app.focus_month.
revoke execute on function app.focus_charges from public, anon, authenticated, service_role;
