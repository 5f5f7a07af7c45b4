-- settle_containers(calls) → the same messages, less the container sessions that another call has already; part of settle_calls
--
-- OpenAI bills a container by sessions of 20 minutes, and goes on in the container of an earlier response of the conversation. So of
-- all calls that ran in a container within 20 minutes only the first to be settled has the session. The call and its moment are
-- remembered in private.seen_responses, under the id of the container. Only the newest session is known: a call that is settled after
-- one of a later session has none, also where it was the first of its own.
--
-- A call that reads a response in the background reports the sessions of the call that made it, as long as nobody has (see
-- fill_objects): the moment is that of the call that made it. Both may be settled in one batch, when a spool is read; then only the
-- messages know who made it.
--
-- p_calls: as for settle_calls. Of each call are read tools, and containers, {container: dimension in tools}.
create or replace function app.settle_containers(p_calls jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_calls jsonb := p_calls;
    v_use record;
    v_tools jsonb;
    v_sessions integer;
begin
    for v_use in
        with makers as materialized (
            select p.*
            from jsonb_to_recordset(p_calls) as p (id uuid, started_at timestamptz, org_id uuid, account text, method text,
                endpoint text, outcome text, upstream_object_id text)
            where p.outcome = 'pending' and not app.is_sighting(p.method, p.endpoint)
        )
        select c.ordinality::integer - 1 as place, m.org_id, b.container, b.dimension, coalesce(o.call_id, m.id) as call_id,
            coalesce(o.started_at, m.started_at) as started_at
        from jsonb_array_elements(p_calls) with ordinality c
        cross join lateral jsonb_to_record(c.value) as m (id uuid, started_at timestamptz, org_id uuid, account text, method text,
            endpoint text, outcome text, upstream_object_id text, containers jsonb)
        cross join lateral jsonb_each_text(m.containers) as b (container, dimension)
        left join lateral (
            select o.call_id, o.started_at from private.upstream_objects o
            where o.upstream_account = m.account and o.object_id = m.upstream_object_id and o.org_id = m.org_id and o.priced_at is null
            union all
            select p.id, p.started_at from makers p
            where p.account = m.account and p.upstream_object_id = m.upstream_object_id and p.org_id = m.org_id
            limit 1
        ) o on app.is_sighting(m.method, m.endpoint)
        where m.outcome = 'complete' and (o.call_id is not null or not app.is_sighting(m.method, m.endpoint))
        order by m.org_id, b.container, 6  -- in the same order in each batch, so that no two wait for each other
    loop
        insert into private.seen_responses as s (org_id, object_id, side, call_id, started_at)
        values (v_use.org_id, v_use.container, false, v_use.call_id, v_use.started_at)
        on conflict (org_id, object_id) do update set call_id = excluded.call_id, started_at = excluded.started_at
        where excluded.started_at >= s.started_at + interval '20 minutes';
        continue when exists (
            select from private.seen_responses s
            where s.org_id = v_use.org_id and s.object_id = v_use.container and s.call_id = v_use.call_id);
        v_tools := v_calls -> v_use.place -> 'tools';
        v_sessions := (v_tools ->> v_use.dimension)::integer - 1;
        v_tools := v_tools - v_use.dimension
            || jsonb_strip_nulls(jsonb_build_object(v_use.dimension, nullif(v_sessions, 0)));
        v_calls := jsonb_set(v_calls, array[v_use.place::text, 'tools'], coalesce(nullif(v_tools, '{}'), 'null'));
    end loop;
    return v_calls;
end $$;

comment on function app.settle_containers is
    'Makes sure that a session of a container which several calls ran in is billed to one of them. Part of settle_calls.';
-- No grant: part of settle_calls.
revoke execute on function app.settle_containers from public, anon, authenticated, service_role;
