-- ledger_lines(organization, day) → what the ledger has of one day (UTC), added up by the lines of OpenAI's bill
--
-- quantity, cost: of calls whose cost is known. unpriced: quantity of calls without a cost, or of lines without a price.
-- late: quantity of calls that arrived the day before and ended on this day, minus calls that arrived on this day and ended
-- later: OpenAI may count either by its end. A call that was closed by hand ended at its deadline at the latest. prices: the price
-- rows that were used. tier, dimension, context: of the line; when several lines of the ledger have one name, of one of them. A line
-- without a price has no price model: the model that answered.
--
-- A call whose correction says at which prices it counts now (details of cost_adjustments) has these lines in place of its own.
-- `corrections` (without such prices) and `closed by hand` are costs that come from no price and have no quantity.
-- Only calls of the organization's books. For app.reconcile_day, which runs as owner: row security does not apply.
create or replace function app.ledger_lines(p_org_id uuid, p_day date)
returns table (
    line text, model text, tier text, dimension text, context_min_tokens integer, quantity numeric, cost numeric, unpriced numeric,
    late numeric, prices bigint[]
)
language sql stable
set search_path = ''
as $$
    with corrected as (
        select a.call_id, a.call_started_at, sum(a.delta) as delta,
            (array_agg(a.details #> '{new,lines}' order by a.at desc, a.id) filter (where a.details #> '{new,lines}' <> '[]'))[1] as lines
        from public.cost_adjustments a
        where a.org_id = p_org_id and a.call_started_at >= (p_day - 1)::timestamp at time zone 'utc'
          and a.call_started_at < (p_day + 1)::timestamp at time zone 'utc'
        group by 1, 2
    ), calls as (
        -- model: names the lines of a call without a price. ended: by the latency, since a settle may come late, from a spool.
        select case when g.again then u.cost + a.delta else u.cost end as cost, u.cost_status,
            case when g.again then a.lines else u.cost_lines end as cost_lines, g.again, a.delta, coalesce(u.model, u.model_requested, 'unknown') as model,
            app.price_tier_of(u.service_tier, u.batch) as served, (u.started_at at time zone 'utc')::date as day,
            (coalesce(u.started_at + u.latency_ms * interval '1 ms', least(u.settled_at, u.deadline_at)) at time zone 'utc')::date as ended
        from public.usage_logs u
        join public.organizations o on o.id = u.org_id and o.books = u.upstream
        left join corrected a on a.call_id = u.id and a.call_started_at = u.started_at
        cross join lateral (select u.cost is not null and a.lines is not null as again) g
        where u.org_id = p_org_id and u.state = 'settled'
          and u.started_at >= (p_day - 1)::timestamp at time zone 'utc' and u.started_at < (p_day + 1)::timestamp at time zone 'utc'
    ), raw as (
        select coalesce(l.line ->> 'model', c.model) as model, l.line ->> 'dimension' as dimension, l.line ->> 'qualifier' as qualifier,
            coalesce(case when c.cost_status <> 'tier_fallback' then l.line ->> 'tier' end, c.served, 'standard') as tier,
            coalesce((l.line ->> 'context_min_tokens')::integer, 0) as context,
            sum(q.n) filter (where c.day = p_day and c.cost is not null and l.line ->> 'cost' is not null) as quantity,
            sum((l.line ->> 'cost')::numeric) filter (where c.day = p_day and c.cost is not null) as cost,
            sum(q.n) filter (where c.day = p_day and (c.cost is null or l.line ->> 'cost' is null)) as unpriced,
            coalesce(sum(q.n) filter (where c.day < p_day), 0) - coalesce(sum(q.n) filter (where c.ended > p_day and c.day = p_day), 0) as late,
            string_agg(distinct l.line ->> 'price_id', ',') filter (where c.day = p_day) as prices
        from calls c cross join lateral jsonb_array_elements(c.cost_lines) as l (line)
        cross join lateral (select (l.line ->> 'quantity')::numeric as n) q
        where c.day = p_day or c.ended = p_day
        group by 1, 2, 3, 4, 5
    ), named as (
        select r.*, coalesce((select m.model from app.price_model_of(p_org_id, r.model, p_day::timestamp at time zone 'utc') m),
            regexp_replace(lower(r.model), '-20\d\d-\d\d-\d\d$', '')) as price_model
        from raw r
    )
    select x.line, min(x.price_model), min(x.tier), min(x.dimension), min(x.context), coalesce(sum(x.quantity), 0),
        coalesce(sum(x.cost), 0), coalesce(sum(x.unpriced), 0), sum(x.late),
        (select array_agg(distinct i::bigint) from unnest(string_to_array(string_agg(x.prices, ','), ',')) i)
    from (select n.*, app.ledger_line(n.tier, n.price_model, n.dimension, n.qualifier, n.context > 0) as line from named n) x
    group by x.line
    union all
    select x.line, null, null, null, 0, 0, sum(x.dollars), 0, 0, null
    from (select v.line, v.dollars
          from (select c.*, c.cost - coalesce((select sum((l ->> 'cost')::numeric) from jsonb_array_elements(c.cost_lines) l), 0) as rest
                from calls c where c.day = p_day offset 0) c  -- offset 0: else computed twice
          cross join lateral (values (case when c.again then 'corrections' else 'closed by hand' end, c.rest),
              ('corrections', case when not c.again then c.delta end)) v (line, dollars)) x
    group by 1
    having sum(x.dollars) <> 0
$$;

comment on function app.ledger_lines is 'Quantities and dollars of one day of the ledger, by the lines of OpenAI''s bill.';
-- No grant: part of app.reconcile_day and app.own_rate_offer.
revoke execute on function app.ledger_lines from public, anon, authenticated, service_role;
