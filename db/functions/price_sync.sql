-- price_sync(source, rows, aliases, dry run) → the rows of a source compared with our list prices, and what became of each
--
-- Values of change. new: we had no price for it; added from the source's start date, and where that is missing from the
-- beginning for a new model, else from today. changed: added as a new dated row, from the source's start date if that is
-- later than the start of ours, else from today. equal: nothing to do. kept: our price differs on purpose (its source is
-- not genai-prices); left alone. missing: our price is not in the source any more; left alone. Prices of organizations are
-- not read.
--
-- One transaction, one at a time. Unless p_dry_run, the run is recorded in private.price_sync_runs. Aliases are added
-- for new models only.
-- p_rows: [{model, dimension, service_tier, context_min_tokens, unit_price, unit_qty, begins (date or null)}, …]
-- p_aliases: [{kind, pattern, model}, …]
create or replace function app.price_sync(p_source text, p_rows jsonb, p_aliases jsonb, p_dry_run boolean)
returns table (
    change text, model text, dimension text, service_tier text, context_min_tokens integer, old_price numeric, old_source text,
    new_price numeric, unit_qty numeric, valid_from timestamptz
)
language plpgsql
set search_path = ''
set timezone = 'UTC'
as $$
#variable_conflict use_column
declare
    v_today timestamptz := date_trunc('day', now());
    v_found jsonb;
begin
    perform from private.work_locks w where w.work = 'prices sync' for update;
    with source as (
        select distinct on (s.model, s.dimension, s.service_tier, s.context_min_tokens, b.begins) s.*, b.begins as since
        from rows from (jsonb_to_recordset(p_rows) as (
            model text, dimension text, service_tier text, context_min_tokens integer, unit_price numeric, unit_qty numeric,
            begins date)) with ordinality as s (
            model, dimension, service_tier, context_min_tokens, unit_price, unit_qty, begins, place)
        cross join lateral (select coalesce(s.begins::timestamptz, '-infinity') as begins) b
        order by s.model, s.dimension, s.service_tier, s.context_min_tokens, b.begins, s.place desc
    ), wanted as (  -- the rows of the source that are in force now or will be
        select s.*, greatest(s.since, now()) as at
        from source s
        where s.since > now() or not exists (
            select from source n
            where (n.model, n.dimension, n.service_tier, n.context_min_tokens)
                = (s.model, s.dimension, s.service_tier, s.context_min_tokens) and n.since > s.since and n.since <= now())
    ), compared as (
        select w.model, w.dimension, w.service_tier, w.context_min_tokens, o.unit_price as old_price, o.source as old_source,
            w.unit_price as new_price, w.unit_qty,
            case
                when o.id is null and not exists (select from public.model_prices p where p.model = w.model and p.org_id is null)
                    or w.since > coalesce(o.valid_from, '-infinity') then w.since
                else greatest(v_today, o.valid_from)
            end as valid_from,
            case
                when o.id is null then 'new'
                when o.unit_price * w.unit_qty = w.unit_price * o.unit_qty then 'equal'
                when o.source like 'genai-prices%' then 'changed'
                else 'kept'
            end as change
        from wanted w
        left join lateral (
            select p.* from public.model_prices p
            where p.org_id is null and p.model = w.model and p.dimension = w.dimension and p.service_tier = w.service_tier
              and p.context_min_tokens = w.context_min_tokens and p.qualifier = '' and p.valid_from <= w.at
            order by p.valid_from desc, p.revision desc limit 1
        ) o on true
    ), missing as (
        select distinct on (p.model, p.dimension, p.service_tier, p.context_min_tokens, p.qualifier)
            p.model, p.dimension, p.service_tier, p.context_min_tokens, p.unit_price, p.source, null::numeric, p.unit_qty,
            p.valid_from, 'missing'
        from public.model_prices p
        where p.org_id is null and p.source like 'genai-prices%' and not exists (
            select from source s where (s.model, s.dimension, s.service_tier, s.context_min_tokens)
                = (p.model, p.dimension, p.service_tier, p.context_min_tokens))
        order by p.model, p.dimension, p.service_tier, p.context_min_tokens, p.qualifier, p.valid_from desc, p.revision desc
    )
    select coalesce(jsonb_agg(to_jsonb(c) order by c.change, c.model, c.dimension, c.service_tier, c.context_min_tokens, c.valid_from), '[]')
    into v_found from (select * from compared union all select * from missing) c;

    if not p_dry_run then
        perform app.price_sync_apply(p_source, v_found, p_aliases);
    end if;
    return query
    select c.change, c.model, c.dimension, c.service_tier, c.context_min_tokens, c.old_price, c.old_source, c.new_price,
        c.unit_qty, nullif(c.valid_from, '-infinity')
    from jsonb_to_recordset(v_found) as c (
        change text, model text, dimension text, service_tier text, context_min_tokens integer, old_price numeric, old_source text,
        new_price numeric, unit_qty numeric, valid_from timestamptz);
end $$;

comment on function app.price_sync is
    'Compares the list prices with a source and adds what is new there; never changes or removes a price.';
-- No grant: for the operator, by `flask prices sync`.
revoke execute on function app.price_sync from public, anon, authenticated, service_role;
