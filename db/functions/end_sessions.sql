-- end_sessions(sessions) → one row per session: ended, or already for one that has ended before or has no row
--
-- p_sessions: [{n, id, model, upstream_session_id, close_code, closed_by (client, openai or spendai)}, …]
create or replace function app.end_sessions(p_sessions jsonb) returns table (n integer, outcome text)
language plpgsql security definer
set search_path = ''
set enable_seqscan = off  -- plans are kept: whatever the size of a table was, its rows are found one by one, by an index
set cpu_index_tuple_cost = 1  -- and never by reading an index from end to end, which is cheap only while it is empty
set enable_hashjoin = off
set enable_mergejoin = off
set enable_material = off
set jit = off  -- see settle_calls
as $$
#variable_conflict use_column
declare
    v_ended uuid[];
begin
    with ended as (
        update public.websocket_sessions s set
            ended_at = clock_timestamp(), model = c.model, upstream_session_id = c.upstream_session_id,
            close_code = c.close_code, closed_by = c.closed_by
        from jsonb_to_recordset(p_sessions) as c (
            id uuid, model text, upstream_session_id text, close_code integer, closed_by text)
        where s.id = c.id and s.ended_at is null
        returning s.id
    )
    select coalesce(array_agg(e.id), '{}') into v_ended from ended e;
    return query
    select c.n, case when c.id = any (v_ended) then 'ended' else 'already' end
    from jsonb_to_recordset(p_sessions) as c (n integer, id uuid);
end $$;

comment on function app.end_sessions is 'Notes how a batch of sessions over WebSocket ended; one row back per session.';
revoke execute on function app.end_sessions from public, anon, authenticated, service_role;
grant execute on function app.end_sessions to spendai_proxy;
