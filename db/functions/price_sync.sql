-- price_sync(sources, accept, dry run) → the prices of one or two sources compared with our list prices
--
-- p_sources: [{name, rows: [{model, dimension, service_tier, context_min_tokens, qualifier, unit_price, unit_qty, begins (date
-- or null)}, …], aliases: [{kind, pattern, model}, …]}, …]. The first word of a name ("litellm 1.110.2") tells sources apart.
-- p_accept: {model: null or the first word of a source's name, …}: take what the source says of this model.
--
-- Values of change. equal: nothing to do. new, changed: both sources agree on a price that we do not have, or have with
-- another value; added. accepted: added because p_accept names the model. only: one source has it, and we do not have
-- the same; differ: the sources differ; missing: ours came from a source, and no source has it any more; kept: both
-- agree, but ours was entered by a person or is from elsewhere, such as OpenAI's own pages: these four are left alone. The
-- prices of organizations are not read, and a price that a person entered is not replaced by p_accept either.
--
-- An added price holds from the source's start date if that is later than the start of ours, and for a new model in any case;
-- else from 00:00 UTC today. One transaction, one at a time; unless p_dry_run, the run is recorded (price_sync_apply).
-- offers: what each source says. agreed: whether they agree; null where only one has the price.
--
-- Errors: PT400 invalid_value for a model in p_accept that no source has, or on which the sources differ.
create or replace function app.price_sync(p_sources jsonb, p_accept jsonb, p_dry_run boolean)
returns table (
    change text, model text, dimension text, service_tier text, context_min_tokens integer, qualifier text, old_price numeric,
    old_qty numeric, old_source text, new_price numeric, unit_qty numeric, valid_from timestamptz, source text, offers jsonb,
    agreed boolean, run bigint
)
language plpgsql
set search_path = ''
set timezone = 'UTC'
as $$
#variable_conflict use_column
declare
    v_found jsonb;
    v_wrong text;
    v_run bigint;
begin
    perform from private.work_locks w where w.work = 'prices sync' for update;
    select coalesce(jsonb_agg(to_jsonb(c) order by c.model, c.dimension, c.service_tier, c.context_min_tokens, c.qualifier, c.valid_from), '[]')
    into v_found from app.price_sync_compared(p_sources, p_accept) c;

    select k.key into v_wrong from jsonb_object_keys(p_accept) as k (key)
    where not exists (select from jsonb_array_elements(v_found) f where f ->> 'model' = k.key and f ->> 'change' <> 'missing');
    if found then
        raise sqlstate 'PT400' using message = format('no source has a price of %s', v_wrong), detail = 'invalid_value', column = 'accept';
    end if;
    select f ->> 'model' into v_wrong from jsonb_array_elements(v_found) f
    where f ->> 'change' = 'differ' and p_accept ? (f ->> 'model') and p_accept ->> (f ->> 'model') is null limit 1;
    if found then
        raise sqlstate 'PT400' using message = format('the sources differ on %s: name the one to take', v_wrong),
            detail = 'invalid_value', column = 'accept', hint = format('such as %s=litellm', v_wrong);
    end if;

    if not p_dry_run then
        v_run := app.price_sync_apply(p_sources, v_found);
    end if;
    return query
    select c.change, c.model, c.dimension, c.service_tier, c.context_min_tokens, c.qualifier, c.old_price, c.old_qty, c.old_source,
        c.new_price, c.unit_qty, nullif(c.valid_from, '-infinity'), c.source, c.offers, c.agreed, v_run
    from jsonb_to_recordset(v_found) as c (
        change text, model text, dimension text, service_tier text, context_min_tokens integer, qualifier text, old_price numeric,
        old_qty numeric, old_source text, new_price numeric, unit_qty numeric, valid_from timestamptz, source text, offers jsonb,
        agreed boolean);
end $$;

comment on function app.price_sync is
    'Compares the list prices with published lists and adds what they agree on; never changes or removes a price.';
-- No grant: for the operator, by `flask prices sync`.
revoke execute on function app.price_sync from public, anon, authenticated, service_role;
