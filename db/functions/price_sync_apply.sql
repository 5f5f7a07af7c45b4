-- price_sync_apply(source, differences, aliases): adds the prices that price_sync found new or changed, and records the run
--
-- p_found: the rows of price_sync as JSON. p_aliases: as for price_sync.
create or replace function app.price_sync_apply(p_source text, p_found jsonb, p_aliases jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
    -- Before the prices are added: a model is new as long as it has no list price.
    insert into public.price_aliases (kind, pattern, model, ord)
    select a.kind, a.pattern, a.model, (select coalesce(max(k.ord), 0) from public.price_aliases k) + row_number() over (order by a.place)
    from rows from (jsonb_to_recordset(p_aliases) as (kind text, pattern text, model text)) with ordinality
        as a (kind, pattern, model, place)
    where exists (select from jsonb_array_elements(p_found) f where f ->> 'change' = 'new' and f ->> 'model' = a.model)
      and not exists (select from public.model_prices p where p.model = a.model and p.org_id is null)
    on conflict do nothing;

    insert into public.model_prices (model, dimension, service_tier, context_min_tokens, unit_price, unit_qty, valid_from, revision, source)
    select f.model, f.dimension, f.service_tier, f.context_min_tokens, f.new_price, f.unit_qty, f.valid_from,
        1 + coalesce((select max(p.revision) from public.model_prices p
                      where p.org_id is null and p.model = f.model and p.dimension = f.dimension and p.service_tier = f.service_tier
                        and p.context_min_tokens = f.context_min_tokens and p.qualifier = '' and p.valid_from = f.valid_from), 0),
        p_source
    from jsonb_to_recordset(p_found) as f (change text, model text, dimension text, service_tier text, context_min_tokens integer,
                                           new_price numeric, unit_qty numeric, valid_from timestamptz)
    where f.change in ('new', 'changed');

    insert into private.price_sync_runs (source, counts, difference)
    select p_source,
        (select coalesce(jsonb_object_agg(k.change, k.n), '{}') from (
            select f ->> 'change' as change, count(*) as n from jsonb_array_elements(p_found) f group by 1) k),
        coalesce(jsonb_agg(f) filter (where f ->> 'change' <> 'equal'), '[]')
    from jsonb_array_elements(p_found) f;
end $$;

comment on function app.price_sync_apply is 'Adds the prices that price_sync found new or changed, and records the run.';
-- No grant: part of price_sync.
revoke execute on function app.price_sync_apply from public, anon, authenticated, service_role;
