-- price_sync_rows(sources) → the prices of each source that are in force now or will be, under our names of the models
--
-- A source that publishes aliases of its models has its own names for them. Other sources list each name that OpenAI
-- serves: a name that no price model has and that is an alias, of ours or in another source, stands for the model of
-- the alias. Of several names of one model in one source counts that of the model itself, or the last in alphabetical
-- order, which is the newest date; a name with other prices than that stays a model of its own.
--
-- p_sources: as for price_sync. place: 1 for the first source. at: now, or the later moment from which the price holds.
create or replace function app.price_sync_rows(p_sources jsonb)
returns table (
    place integer, source text, model text, dimension text, service_tier text, context_min_tokens integer, qualifier text,
    unit_price numeric, unit_qty numeric, since timestamptz, at timestamptz
)
language sql stable
set search_path = ''
set timezone = 'UTC'
as $$
    with source as materialized (
        select s.place::integer, s.value ->> 'name' as source, s.value -> 'rows' as rows, s.value -> 'aliases' as aliases
        from jsonb_array_elements(p_sources) with ordinality as s (value, place)
    ), raw as materialized (  -- of several rows for one moment the last counts
        select distinct on (s.place, r.model, r.dimension, r.service_tier, r.context_min_tokens, r.qualifier, b.since)
            s.place, s.source, s.aliases = '[]' as by_name, r.model as name, r.dimension, r.service_tier, r.context_min_tokens,
            coalesce(r.qualifier, '') as qualifier, r.unit_price, r.unit_qty, b.since
        from source s
        cross join lateral rows from (jsonb_to_recordset(s.rows) as (
            model text, dimension text, service_tier text, context_min_tokens integer, qualifier text, unit_price numeric,
            unit_qty numeric, begins date)) with ordinality as r (
            model, dimension, service_tier, context_min_tokens, qualifier, unit_price, unit_qty, begins, nr)
        cross join lateral (select coalesce(r.begins::timestamptz, '-infinity') as since) b
        order by s.place, r.model, r.dimension, r.service_tier, r.context_min_tokens, r.qualifier, b.since, r.nr desc
    ), target as materialized (
        select n.name, coalesce(p.model, a.model, n.name) as model
        from (select r.name from raw r group by r.name having bool_and(r.by_name)) n
        left join lateral app.price_model_of(null, n.name, 'infinity') p on true
        left join lateral (
            select a.model
            from source s, jsonb_to_recordset(s.aliases) as a (kind text, pattern text, model text)
            where case a.kind when 'exact' then n.name = a.pattern when 'prefix' then starts_with(n.name, a.pattern)
                else n.name ~ a.pattern end
            order by a.kind <> 'exact', length(a.pattern) desc, a.model limit 1
        ) a on p.model is null
    ), named as materialized (
        select r.*, coalesce(t.model, r.name) as model from raw r left join target t on t.name = r.name
    ), base as (
        select n.place, n.model, coalesce(max(n.name) filter (where n.name = n.model), max(n.name)) as name
        from named n group by n.place, n.model
    ), apart as (  -- names whose prices are not all those of their model
        select distinct n.place, n.name
        from named n
        join base b on b.place = n.place and b.model = n.model and b.name <> n.name
        left join named m on m.place = b.place and m.name = b.name and m.dimension = n.dimension and m.service_tier = n.service_tier
            and m.context_min_tokens = n.context_min_tokens and m.qualifier = n.qualifier and m.since = n.since
        where m.name is null or m.unit_price * n.unit_qty <> n.unit_price * m.unit_qty
    )
    select n.place, n.source, case when a.name is null then n.model else n.name end, n.dimension, n.service_tier,
        n.context_min_tokens, n.qualifier, n.unit_price, n.unit_qty, n.since, greatest(n.since, now())
    from named n
    join base b on b.place = n.place and b.model = n.model
    left join apart a on a.place = n.place and a.name = n.name
    where (n.name = b.name or a.name is not null) and (n.since > now() or not exists (
        select from raw later
        where later.place = n.place and later.name = n.name and later.dimension = n.dimension and later.service_tier = n.service_tier
          and later.context_min_tokens = n.context_min_tokens and later.qualifier = n.qualifier
          and later.since > n.since and later.since <= now()))
$$;

comment on function app.price_sync_rows is
    'Prices of published lists that are in force now or will be, one row per source and price; part of price_sync.';
-- No grant: part of price_sync_compared.
revoke execute on function app.price_sync_rows from public, anon, authenticated, service_role;
