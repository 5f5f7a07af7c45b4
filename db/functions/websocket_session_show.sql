-- websocket_session_show(session id) → one WebSocket session with the sum of its calls, or no row
create or replace function app.websocket_session_show(p_id uuid) returns setof public.sessions
language sql stable
set search_path = ''
as $$
    select s.* from public.sessions s where s.id = p_id
$$;

comment on function app.websocket_session_show is 'One WebSocket session of the caller''s organization by its id.';
revoke execute on function app.websocket_session_show from public, anon, authenticated, service_role;
grant execute on function app.websocket_session_show to authenticated;
