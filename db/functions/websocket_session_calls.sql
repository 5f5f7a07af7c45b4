-- websocket_session_calls(session id, limit) → the newest calls of a WebSocket session, in the order in which they were made
create or replace function app.websocket_session_calls(p_id uuid, p_limit integer) returns setof public.calls
language sql stable
set search_path = ''
set enable_seqscan = off
as $$
    with page as materialized (
        select u.id, u.started_at from public.usage_logs u
        where u.org_id = (select app.current_org_id()) and u.session_id = p_id
          and u.started_at >= (select s.started_at from public.sessions s where s.id = p_id)
        order by u.started_at desc, u.id desc limit p_limit
    )
    select v.* from page p
    cross join lateral (  -- offset 0: each row is looked up by itself, whatever the planner expects
        select c.* from public.calls c where c.id = p.id and c.started_at = p.started_at offset 0
    ) v
    order by p.started_at, p.id
$$;

comment on function app.websocket_session_calls is 'The newest calls of a WebSocket session, the newest last.';
revoke execute on function app.websocket_session_calls from public, anon, authenticated, service_role;
grant execute on function app.websocket_session_calls to authenticated;
