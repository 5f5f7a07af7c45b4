-- settle_seen(calls) → the same messages, changed where another call books what they report; part of settle_calls
--
-- Several connections to one Realtime call are told of the same responses, in any order and by any gateway. The first call that
-- reports an object (seen_as) books it: open_calls or this function remembers it in private.seen_responses. The same id is the
-- same object only where at least one of the two connections is a side connection (side); two main connections never share one.
--
-- The message of every other call becomes `repeated`: no row is added for it, and a row that it has (because its client asked for
-- the response) becomes free. What it says was used is kept also when the first connection has died: the first call is settled
-- with it, or its unknown cost is filled in. Where the first call has no row, or was an error, the other call takes its place.
--
-- p_calls: as for settle_calls. Added messages have an n that no other message has.
create or replace function app.settle_seen(p_calls jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_calls jsonb := p_calls;
    v_call record;
    v_first public.usage_logs;
    v_own integer;  -- place of the first call's own message, if this batch has it
    v_price record;
begin
    insert into private.seen_responses (org_id, object_id, side, call_id, started_at)
    select c.org_id, c.seen_as, c.side, c.id, c.started_at
    from jsonb_to_recordset(p_calls) as c (id uuid, started_at timestamptz, org_id uuid, seen_as text, side boolean, outcome text)
    where c.seen_as is not null and c.outcome <> 'error'
    order by c.org_id, c.seen_as
    on conflict do nothing;

    for v_call in
        select c.value as message, c.ordinality::integer - 1 as place, m.*, s.call_id as first_id, s.started_at as first_at
        from jsonb_array_elements(p_calls) with ordinality c
        cross join lateral jsonb_to_record(c.value) as m (id uuid, started_at timestamptz, org_id uuid, seen_as text, side boolean,
            outcome text, model text, service_tier text, usage jsonb, tools jsonb)
        join private.seen_responses s on s.org_id = m.org_id and s.object_id = m.seen_as
        where s.call_id <> m.id and (s.side or m.side) and m.outcome <> 'error'
        order by s.call_id
    loop
        select u.* into v_first from public.usage_logs u
        where u.id = v_call.first_id and u.started_at = v_call.first_at for update;
        if v_first.id is null or v_first.cost_status = 'error' then
            update private.seen_responses s set side = v_call.side, call_id = v_call.id, started_at = v_call.started_at
            where s.org_id = v_call.org_id and s.object_id = v_call.seen_as;
            continue;
        end if;
        v_calls := jsonb_set(v_calls, array[v_call.place::text],
            v_call.message || '{"outcome": "repeated", "usage": null, "tools": null}');
        continue when v_call.outcome <> 'complete';
        if v_first.state = 'open' or exists (
            select from private.closed_calls h where h.call_id = v_first.id and h.started_at = v_first.started_at) then
            v_own := (select c.ordinality - 1 from jsonb_array_elements(v_calls) with ordinality c
                where (c.value ->> 'id')::uuid = v_first.id);
            if v_own is null or v_calls -> v_own ->> 'outcome' = 'no_usage' then
                v_calls := jsonb_set(v_calls, array[coalesce(v_own, jsonb_array_length(v_calls))::text],
                    v_call.message || jsonb_build_object('id', v_first.id, 'started_at', v_first.started_at,
                        'n', coalesce((v_calls -> v_own -> 'n')::integer, -1 - v_call.place)));
            end if;
        elsif v_first.cost is null then
            select * into v_price from app.price_usage(v_first.org_id, v_first.endpoint, v_call.model, v_first.model_requested,
                v_call.service_tier, v_first.batch, v_call.usage, v_call.tools, v_first.started_at);
            perform app.fill_call(v_first.id, v_first.started_at, v_price.cost, v_price.cost_status, v_price.cost_lines,
                v_call.usage, v_call.tools, v_call.model, v_call.service_tier,
                'another connection to the session was told its usage');
        end if;
    end loop;
    return v_calls;
end $$;

comment on function app.settle_seen is
    'Makes sure that a response which several connections to a Realtime session report is booked by one call. Part of settle_calls.';
-- No grant: part of settle_calls.
revoke execute on function app.settle_seen from public, anon, authenticated, service_role;
