-- websocket_sessions: members and analysts read the sessions of their organization; only app.open_calls and app.end_sessions
-- write, as owner
alter table public.websocket_sessions enable row level security;
drop policy if exists read_own_org on public.websocket_sessions;
create policy read_own_org on public.websocket_sessions for select to authenticated
    using (org_id = (select app.current_org_id()));
drop policy if exists read_as_analyst on public.websocket_sessions;
create policy read_as_analyst on public.websocket_sessions for select to spendai_analyst
    using (org_id = (select app.analyst_org_id()));
revoke all on public.websocket_sessions from public, anon, authenticated, service_role, spendai_analyst;
grant select on public.websocket_sessions to authenticated, spendai_analyst;
-- No insert, update or delete: only the gateway knows how a session ended.
