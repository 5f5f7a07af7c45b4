-- settle_closed(calls) → n of each call that a person had closed by hand before its settle message came; part of settle_calls
--
-- The first message of a call says what it used, so its cost can be computed. A call that was closed without a cost gets it as
-- a fill; where the person gave a cost, the difference becomes a correction. Later messages of the same call change nothing.
--
-- p_calls: as for settle_calls, which has locked their rows.
create or replace function app.settle_closed(p_calls jsonb) returns integer[]
language plpgsql
set search_path = ''
as $$
declare
    c_reason constant text := 'what the call used became known after it was closed by hand';
    v_found integer[] := '{}';
    v_late record;
    v_price record;
begin
    if not exists (select from private.closed_calls) then  -- nearly always; every settle asks
        return v_found;
    end if;
    for v_late in
        select c.*, u.org_id, u.endpoint, u.method, u.started_at as began, h.cost as closed_cost
        from jsonb_to_recordset(p_calls) as c (n integer, id uuid, started_at timestamptz, batch boolean, model_requested text,
            model text, service_tier text, usage jsonb, tools jsonb, outcome text)
        join private.closed_calls h on h.call_id = c.id and h.started_at = c.started_at
        join public.usage_logs u on u.id = c.id and u.started_at = c.started_at
        order by c.id
    loop
        v_found := v_found || v_late.n;
        update private.closed_calls h set settled_at = clock_timestamp()
        where h.call_id = v_late.id and h.started_at = v_late.began and h.settled_at is null;
        continue when not found;  -- settled before, or twice in this batch
        select case when s in ('error', 'free') then 0::numeric end as cost, s as cost_status, null::jsonb as cost_lines into v_price
        from app.status_unpriced(v_late.outcome, v_late.method, v_late.endpoint) s;
        if v_price.cost_status is null then
            select * into v_price from app.price_usage(v_late.org_id, v_late.endpoint, v_late.model, v_late.model_requested,
                v_late.service_tier, v_late.batch, v_late.usage, v_late.tools, v_late.began);
        end if;
        if v_price.cost_status = 'pending_object' then
            null;  -- the finished object fills in the cost or corrects it (see fill_objects)
        elsif v_late.closed_cost is null then
            perform app.fill_call(v_late.id, v_late.began, v_price.cost, v_price.cost_status, v_price.cost_lines, v_late.usage,
                v_late.tools, v_late.model, v_late.service_tier, c_reason);
        else
            perform app.correct_closed(v_late.id, v_late.began, v_price.cost, v_price.cost_lines, v_late.usage);
        end if;
    end loop;
    return v_found;
end $$;

comment on function app.settle_closed is
    'Books the computed cost of calls that a person had closed by hand: as a fill or as a correction.';
-- No grant: part of settle_calls.
revoke execute on function app.settle_closed from public, anon, authenticated, service_role;
