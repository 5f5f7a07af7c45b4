-- correct_closed(...): books the difference between the true cost of a call and the cost a person closed it with
--
-- Does nothing for calls that were not closed by hand or were closed without a cost, and when p_cost is null or the same.
create or replace function app.correct_closed(
    p_id uuid, p_started_at timestamptz, p_cost numeric, p_cost_lines jsonb, p_usage jsonb
) returns void
language sql
set search_path = ''
as $$
    insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason, details)
    select h.org_id, h.call_id, h.started_at, p_cost - h.cost, 'what the call used became known after it was closed by hand',
        jsonb_build_object('old', app.price_used(null), 'new', app.price_used(p_cost_lines), 'usage', p_usage)
    from private.closed_calls h
    where h.call_id = p_id and h.started_at = p_started_at and h.cost <> p_cost
$$;

comment on function app.correct_closed is 'Corrects the cost of a call closed by hand by the difference to what it really cost.';
-- No grant: part of settle_closed, fill_objects and fill_batch.
revoke execute on function app.correct_closed from public, anon, authenticated, service_role;
