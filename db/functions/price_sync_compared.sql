-- price_sync_compared(sources, accept) → the prices of one or two sources beside our list prices, and what is to be done
--
-- Arguments and columns: see price_sync. source: kept with an added price; its "sync: " tells it from a shipped one. new_price is null where the sources differ and p_accept names neither of them.
create or replace function app.price_sync_compared(p_sources jsonb, p_accept jsonb)
returns table (
    change text, model text, dimension text, service_tier text, context_min_tokens integer, qualifier text, old_price numeric,
    old_qty numeric, old_source text, new_price numeric, unit_qty numeric, valid_from timestamptz, source text, offers jsonb,
    agreed boolean
)
language sql stable
set search_path = ''
set timezone = 'UTC'
as $$
    with listed as materialized (
        select l.model, l.dimension, l.service_tier, l.context_min_tokens, l.qualifier, l.at, max(l.since) as since,
            array_agg(l.source order by l.place) as sources, array_agg(l.unit_price order by l.place) as prices,
            array_agg(l.unit_qty order by l.place) as quantities,
            jsonb_object_agg(l.source, format('%s per %s', app.dollars(l.unit_price), l.unit_qty)) as offers
        from app.price_sync_rows(p_sources) l
        group by l.model, l.dimension, l.service_tier, l.context_min_tokens, l.qualifier, l.at
    ), judged as (
        select l.*, p_accept ? l.model as named, p_accept ->> l.model as word,
            case when cardinality(l.sources) = 2 then l.prices[1] * l.quantities[2] = l.prices[2] * l.quantities[1] end as agreed
        from listed l
    ), taken as (
        select j.*, j.prices[n.place] as price, j.quantities[n.place] as quantity,
            'sync: ' || case when j.agreed then array_to_string(j.sources, ', ') else j.sources[n.place] end as label,
            j.named and (j.word is null or j.agreed or split_part(j.sources[n.place], ' ', 1) = j.word) as accepted
        from judged j
        cross join lateral (select case when coalesce(j.agreed, true) or split_part(j.sources[1], ' ', 1) = j.word then 1
            when split_part(j.sources[2], ' ', 1) = j.word then 2 end as place) n
    ), compared as (
        select t.*, o.unit_price as old_price, o.unit_qty as old_qty, o.source as old_source,
            case
                when o.unit_price * t.quantity = t.price * o.unit_qty then 'equal'
                when t.accepted and t.price is not null and not coalesce(o.personal, false) then 'accepted'
                when not t.agreed then 'differ'
                when t.agreed is null then 'only'
                when o.id is null then 'new'
                when o.personal or o.source !~ '(genai-prices|litellm)' then 'kept'
                else 'changed'
            end as change,
            case
                when o.id is null and not exists (select from public.model_prices p where p.model = t.model and p.org_id is null)
                    or t.since > coalesce(o.valid_from, '-infinity') then t.since
                else greatest(date_trunc('day', now()), o.valid_from)
            end as valid_from
        from taken t
        left join lateral (
            select p.*, p.source = 'admin' or p.created_by is not null as personal
            from public.model_prices p
            where p.org_id is null and p.model = t.model and p.dimension = t.dimension and p.service_tier = t.service_tier
              and p.context_min_tokens = t.context_min_tokens and p.qualifier = t.qualifier and p.valid_from <= t.at
            order by p.valid_from desc, p.revision desc limit 1
        ) o on true
    ), missing as (
        select distinct on (p.model, p.dimension, p.service_tier, p.context_min_tokens, p.qualifier) p.*
        from public.model_prices p
        where p.org_id is null and p.source ~ '(genai-prices|litellm)' and not exists (
            select from listed l where l.model = p.model and l.dimension = p.dimension and l.service_tier = p.service_tier
                and l.context_min_tokens = p.context_min_tokens and l.qualifier = p.qualifier)
        order by p.model, p.dimension, p.service_tier, p.context_min_tokens, p.qualifier, p.valid_from desc, p.revision desc
    )
    select c.change, c.model, c.dimension, c.service_tier, c.context_min_tokens, c.qualifier, c.old_price, c.old_qty, c.old_source,
        c.price, c.quantity, c.valid_from, c.label, c.offers, c.agreed
    from compared c
    union all
    select 'missing', m.model, m.dimension, m.service_tier, m.context_min_tokens, m.qualifier, m.unit_price, m.unit_qty, m.source,
        null, m.unit_qty, m.valid_from, null, '{}', null
    from missing m
$$;

comment on function app.price_sync_compared is
    'The prices of published lists beside our list prices, and what price_sync does with each; part of price_sync.';
-- No grant: part of price_sync.
revoke execute on function app.price_sync_compared from public, anon, authenticated, service_role;
