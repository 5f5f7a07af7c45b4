-- price_sync_apply(sources, found) → the run's id; adds the prices that price_sync decided to add, and records the run
--
-- p_sources: as for price_sync. p_found: the rows of price_sync_compared as JSON. Names of models (aliases) are added for new
-- models only. When a list price was added, the audit log of each organization says so.
create or replace function app.price_sync_apply(p_sources jsonb, p_found jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_source text := (select string_agg(s ->> 'name', ', ') from jsonb_array_elements(p_sources) s);
    v_added bigint;
    v_run bigint;
begin
    -- Before the prices are added: a model is new as long as it has no list price.
    insert into public.price_aliases (kind, pattern, model, ord)
    select a.kind, a.pattern, a.model, (select coalesce(max(k.ord), 0) from public.price_aliases k) + row_number() over (order by s.nr, a.place)
    from jsonb_array_elements(p_sources) with ordinality as s (value, nr)
    cross join lateral rows from (jsonb_to_recordset(s.value -> 'aliases') as (kind text, pattern text, model text)) with ordinality
        as a (kind, pattern, model, place)
    where exists (select from jsonb_array_elements(p_found) f where f ->> 'change' in ('new', 'accepted') and f ->> 'model' = a.model)
      and not exists (select from public.model_prices p where p.model = a.model and p.org_id is null)
    on conflict do nothing;

    insert into public.model_prices
        (model, dimension, service_tier, context_min_tokens, qualifier, unit_price, unit_qty, valid_from, revision, source)
    select f.model, f.dimension, f.service_tier, f.context_min_tokens, f.qualifier, f.new_price, f.unit_qty, f.valid_from,
        1 + coalesce((select max(p.revision) from public.model_prices p
                      where p.org_id is null and p.model = f.model and p.dimension = f.dimension and p.service_tier = f.service_tier
                        and p.context_min_tokens = f.context_min_tokens and p.qualifier = f.qualifier and p.valid_from = f.valid_from), 0),
        f.source
    from jsonb_to_recordset(p_found) as f (
        change text, model text, dimension text, service_tier text, context_min_tokens integer, qualifier text, new_price numeric,
        unit_qty numeric, valid_from timestamptz, source text)
    where f.change in ('new', 'changed', 'accepted');
    get diagnostics v_added = row_count;

    insert into private.price_sync_runs (source, counts, difference)
    select v_source,
        (select coalesce(jsonb_object_agg(k.change, k.n), '{}') from (
            select f ->> 'change' as change, count(*) as n from jsonb_array_elements(p_found) f group by 1) k)
        || jsonb_build_object('agreed', count(*) filter (where f ->> 'agreed' = 'true'),
                              'compared', count(*) filter (where f ->> 'agreed' is not null)),
        coalesce(jsonb_agg(f) filter (where f ->> 'change' <> 'equal'), '[]')
    from jsonb_array_elements(p_found) f
    returning id into v_run;

    if v_added > 0 then
        perform app.audit(o.id, 'prices.synced', null, jsonb_build_object('run', v_run, 'source', v_source, 'added', v_added))
        from public.organizations o;
    end if;
    return v_run;
end $$;

comment on function app.price_sync_apply is 'Adds the prices that price_sync decided to add, and records the run.';
-- No grant: part of price_sync.
revoke execute on function app.price_sync_apply from public, anon, authenticated, service_role;
