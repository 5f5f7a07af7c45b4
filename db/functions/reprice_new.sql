-- reprice_new(reason, dry run) → what the price rows added since the last such run change, per organization, model and period
--
-- A new row affects the calls of its model from its valid_from until the next row of the same kind, of those only the calls
-- that were priced before the row was there, and only calls of its organization when it is a price of one. Touching periods of
-- a model are one period. Such calls are priced again as reprice does, with the reason; a period in which no cost changes is
-- not returned. A call that two models price (its own, and that of a tool) is counted in the periods of both by a dry run.
--
-- The run is recorded unless p_dry_run. The next run looks at rows from one hour before it, because a row gets its time at
-- the start of its transaction and is seen at the end; pricing a call a second time changes nothing.
--
-- Errors: PT400 reason_missing.
create or replace function app.reprice_new(p_reason text, p_dry_run boolean)
returns table (
    org_id uuid, organization text, model text, first_moment timestamptz, last_moment timestamptz, calls bigint, filled_calls bigint,
    filled_cost numeric, adjusted_calls bigint, adjusted_cost numeric, unpriced_calls bigint
)
language plpgsql
set search_path = ''
as $$
#variable_conflict use_column
declare
    c_open constant interval := '1 hour';  -- longer than a transaction that adds prices
    v_reason text := nullif(btrim(p_reason, E' \t\r\n'), '');
    v_since timestamptz;
    v_period record;
    v_done record;
begin
    if v_reason is null or length(v_reason) > 200 then
        raise sqlstate 'PT400' using message = 'give a reason of at most 200 characters', detail = 'reason_missing', column = 'reason';
    end if;
    perform from private.work_locks w where w.work = 'prices reprice' for update;  -- as reprice
    select coalesce(max(r.at) - c_open, '-infinity') into v_since from private.price_sync_runs r where r.kind = 'reprice';

    for v_period in
        with priced as (
            select p.*, lead(p.valid_from, 1, 'infinity') over (
                partition by p.org_id, p.model, p.dimension, p.service_tier, p.context_min_tokens, p.qualifier
                order by p.valid_from, p.revision) as ends
            from public.model_prices p
        ), seen as (
            select o.id, o.name as organization, n.model, min(n.first_call) as first_call
            from public.organizations o cross join lateral app.reprice_names(o.id) n
            where n.model is not null
            group by o.id, o.name, n.model
        ), affected as (
            select s.id, s.organization, s.model,
                range_agg(tstzrange(greatest(p.valid_from, s.first_call), least(p.ends, p.created_at + c_open))) as periods
            from seen s
            -- price_terms derives these two price models from the name of another.
            join priced p on p.model in (s.model, s.model || '-decisions', s.model || '-high-res')
                and (p.org_id is null or p.org_id = s.id)
            where p.created_at > v_since and greatest(p.valid_from, s.first_call) < least(p.ends, p.created_at + c_open)
            group by s.id, s.organization, s.model
        )
        select a.id, a.organization, a.model, lower(r.period) as begins, upper(r.period) as ends
        from affected a cross join lateral unnest(a.periods) as r (period)
        order by a.organization, a.id, a.model, r.period
    loop
        select d.* into v_done from app.reprice_organization(
            v_period.id, v_period.begins, v_period.ends, array[v_period.model], v_reason, p_dry_run) d;
        continue when v_done.filled_calls + v_done.adjusted_calls = 0;
        return query select v_period.id, v_period.organization, v_period.model, v_period.begins, least(v_period.ends, now()),
            v_done.calls, v_done.filled_calls, v_done.filled_cost, v_done.adjusted_calls, v_done.adjusted_cost, v_done.unpriced_calls;
    end loop;
    if not p_dry_run then
        insert into private.price_sync_runs (kind, source, counts, difference) values ('reprice', v_reason, '{}', '[]');
    end if;
end $$;

comment on function app.reprice_new is
    'Prices exactly those calls again that price rows added since the last such run affect.';
-- No grant: for the operator, by `flask prices reprice-new`.
revoke execute on function app.reprice_new from public, anon, authenticated, service_role;
