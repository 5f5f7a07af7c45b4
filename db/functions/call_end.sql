-- call_end(organization or null, call, cost or null, reason): closes by hand an open call, or a settled one without a cost
--
-- An open call becomes priced when a cost is given, no_usage without one. A settle message may still come later, from a spool
-- or from a gateway that was cut off: then the difference is booked (see settle_closed), so closing a call too early loses
-- nothing. A settled call gets the cost as a fill. What its object or a later price says it really cost becomes a correction
-- (see fill_objects, reprice). No call is closed by hand twice.
--
-- p_org_id: only a call of this organization; null: of any.
create or replace function app.call_end(p_org_id uuid, p_call_id uuid, p_cost numeric, p_reason text) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_began timestamptz := app.call_began(p_call_id);
    v_reason text := nullif(btrim(p_reason, E' \t\r\n'), '');
    v_call public.usage_logs;
begin
    if v_reason is null or length(v_reason) > 1000 then
        raise sqlstate 'PT400' using message = 'say why, in at most 1000 characters', detail = 'reason_missing', column = 'reason';
    end if;
    if p_cost is not null and not (p_cost >= 0 and p_cost < 1e6) then  -- also refuses NaN
        raise sqlstate 'PT400' using message = 'a cost is at least 0 and less than 1000000 dollars', detail = 'cost_invalid', column = 'cost';
    end if;
    select u.* into v_call from public.usage_logs u
    where u.id = p_call_id and u.started_at between v_began - interval '1 s' and v_began + interval '1 s'
      and (p_org_id is null or u.org_id = p_org_id)
    for update;
    if not found then
        raise sqlstate 'PT404' using message = 'no such call', detail = 'call_not_found';
    end if;
    if v_call.cost is not null or exists (
        select from private.closed_calls h where h.call_id = v_call.id and h.started_at = v_call.started_at) then
        raise sqlstate 'PT409' using message = 'the call is settled already', detail = 'call_settled';
    elsif v_call.state = 'open' then
        update public.usage_logs u set
            state = 'settled', settled_at = clock_timestamp(), cost = p_cost,
            cost_status = case when p_cost is null then 'no_usage' else 'priced' end
        where u.id = v_call.id and u.started_at = v_call.started_at;
    elsif p_cost is null then
        raise sqlstate 'PT400' using message = 'say what the call cost', detail = 'cost_missing', column = 'cost';
    else
        perform app.fill_call(v_call.id, v_call.started_at, p_cost, 'priced', null, null, null, null, null, v_reason);
    end if;
    -- settled_at: the settle message of a settled call has come already.
    insert into private.closed_calls (call_id, started_at, org_id, cost, reason, closed_by, settled_at)
    values (v_call.id, v_call.started_at, v_call.org_id, p_cost, v_reason, auth.uid(), v_call.settled_at);
    perform app.audit(v_call.org_id, 'call.closed', v_call.id, jsonb_build_object('cost', p_cost::text, 'reason', v_reason));
end $$;

comment on function app.call_end is
    'Closes a call by hand that is open or has no cost, with a reason in the audit log.';
-- No grant: for the operator, through flask calls settle, and part of call_close and evidence_close.
revoke execute on function app.call_end from public, anon, authenticated, service_role;
