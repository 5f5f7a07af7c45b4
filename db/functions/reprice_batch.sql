-- reprice_batch(calls, reason, dry run) → how many calls were filled and corrected, their dollars, and how many stay unpriced
--
-- p_calls: [{org_id, endpoint, … as price_calls reads them, and id, cost, cost_lines of their rows in usage_logs}, …].
create or replace function app.reprice_batch(
    p_calls jsonb, p_reason text, p_dry_run boolean,
    out filled_calls bigint, out filled_cost numeric, out adjusted_calls bigint, out adjusted_cost numeric, out unpriced_calls bigint
)
language plpgsql
set search_path = ''
as $$
declare
    v_call record;
begin
    select 0, 0, 0, 0, 0 into filled_calls, filled_cost, adjusted_calls, adjusted_cost, unpriced_calls;
    for v_call in
        select c.id, c.started_at, c.org_id, c.cost, c.new_cost, c.new_status, c.new_lines,
            coalesce(a.lines, c.cost_lines) as old_lines, c.new_cost - c.cost - coalesce(a.delta, 0) as delta
        from rows from (
            unnest(app.price_calls(array(select s from jsonb_populate_recordset(null::app.settlement, p_calls) s))),
            jsonb_to_recordset(p_calls) as (id uuid, started_at timestamptz, org_id uuid, cost numeric, cost_lines jsonb)
        ) as c (new_cost, new_status, new_lines)
        left join lateral (
            select sum(a.delta) as delta, (array_agg(a.details #> '{new,lines}' order by a.at desc, a.id))[1] as lines
            from public.cost_adjustments a where a.call_id = c.id and a.call_started_at = c.started_at
        ) a on c.cost is not null
        order by c.id
    loop
        if v_call.new_cost is null then  -- a call that has a cost keeps it
            unpriced_calls := unpriced_calls + (v_call.cost is null)::integer;
        elsif v_call.cost is null then
            if p_dry_run or app.fill_call(v_call.id, v_call.started_at, v_call.new_cost, v_call.new_status, v_call.new_lines,
                                          null, null, null, null, p_reason) then
                filled_calls := filled_calls + 1;
                filled_cost := filled_cost + v_call.new_cost;
            end if;
        elsif v_call.delta <> 0 then
            if not p_dry_run then
                insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason, details, at)
                values (v_call.org_id, v_call.id, v_call.started_at, v_call.delta, p_reason,
                    jsonb_build_object('old', app.price_used(v_call.old_lines), 'new', app.price_used(v_call.new_lines)),
                    clock_timestamp());
            end if;
            adjusted_calls := adjusted_calls + 1;
            adjusted_cost := adjusted_cost + v_call.delta;
        end if;
    end loop;
end $$;

comment on function app.reprice_batch is
    'Prices some settled calls again and records the fills and corrections; part of reprice.';
-- No grant: part of reprice_organization.
revoke execute on function app.reprice_batch from public, anon, authenticated, service_role;
