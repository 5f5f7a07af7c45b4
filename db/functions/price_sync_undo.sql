-- price_sync_undo(run, dry run) → the prices that a sync replaced, added again as later revisions of the same moments
--
-- Nothing is removed: the price from before the sync gets a row with the same valid_from and the next revision, so the price
-- that the sync added never holds. A price for which there was none before cannot be undone (undone is false), and one that
-- has a later revision already is left out. The rows' source names the sync, so that the next sync keeps them.
--
-- Errors: PT404 not_found.
create or replace function app.price_sync_undo(p_run bigint, p_dry_run boolean)
returns table (
    model text, dimension text, service_tier text, context_min_tokens integer, qualifier text, unit_price numeric, unit_qty numeric,
    undone boolean
)
language plpgsql
set search_path = ''
as $$
declare
    v_row record;
    v_revision integer;
begin
    perform from private.work_locks w where w.work = 'prices sync' for update;
    if not exists (select from private.price_sync_runs r where r.id = p_run and r.kind = 'sync') then
        raise sqlstate 'PT404' using message = format('there is no sync %s', p_run), detail = 'not_found';
    end if;
    for v_row in
        select f.*
        from private.price_sync_runs r, jsonb_to_recordset(r.difference) as f (
            change text, model text, dimension text, service_tier text, context_min_tokens integer, qualifier text, old_price numeric,
            old_qty numeric, new_price numeric, unit_qty numeric, valid_from timestamptz, source text)
        where r.id = p_run and f.change in ('new', 'changed', 'accepted')
    loop
        select p.revision into v_revision from public.model_prices p
        where p.org_id is null and p.model = v_row.model and p.dimension = v_row.dimension and p.service_tier = v_row.service_tier
          and p.context_min_tokens = v_row.context_min_tokens and p.qualifier = v_row.qualifier and p.valid_from = v_row.valid_from
          and p.unit_price = v_row.new_price and p.source = v_row.source
          and not exists (select from public.model_prices l where l.org_id is null and l.model = p.model and l.dimension = p.dimension
              and l.service_tier = p.service_tier and l.context_min_tokens = p.context_min_tokens and l.qualifier = p.qualifier
              and l.valid_from = p.valid_from and l.revision > p.revision);
        continue when v_revision is null;
        select v_row.model, v_row.dimension, v_row.service_tier, v_row.context_min_tokens, v_row.qualifier, v_row.old_price,
            v_row.old_qty, v_row.old_price is not null
        into model, dimension, service_tier, context_min_tokens, qualifier, unit_price, unit_qty, undone;
        if undone and not p_dry_run then
            insert into public.model_prices (model, dimension, service_tier, context_min_tokens, qualifier, unit_price, unit_qty,
                valid_from, revision, source)
            values (v_row.model, v_row.dimension, v_row.service_tier, v_row.context_min_tokens, v_row.qualifier, v_row.old_price,
                v_row.old_qty, v_row.valid_from, v_revision + 1, format('as before sync %s', p_run));
        end if;
        return next;
    end loop;
    if not p_dry_run then
        perform app.audit(o.id, 'prices.undone', null, jsonb_build_object('run', p_run)) from public.organizations o;
    end if;
end $$;

comment on function app.price_sync_undo is 'Adds the prices that a sync replaced again, as later revisions.';
-- No grant: for the operator, by `flask prices undo`.
revoke execute on function app.price_sync_undo from public, anon, authenticated, service_role;
