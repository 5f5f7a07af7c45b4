-- websocket_sessions_page(filters, before at, before id, limit) → WebSocket sessions newest first, one page
--
-- p_filters: {"project": [ids], "key": [ids], "state": [open, ended or lost]}; of each list one word must fit, an unknown word
-- fits nothing. p_before_at and p_before_id: (started_at, id) of the last row of the page before; nulls for the first page.
create or replace function app.websocket_sessions_page(
    p_filters jsonb, p_before_at timestamptz, p_before_id uuid, p_limit integer
) returns setof public.sessions
language sql stable
set search_path = ''
-- The index (org_id, started_at desc, id desc) has the order of the page: with it, reading ends with the page.
set enable_seqscan = off
set enable_bitmapscan = off
as $$
    with page as materialized (  -- before the calls are added up, so that only those of the page are
        select s.id, s.started_at from public.sessions s
        where s.org_id = (select app.current_org_id())
          and s.started_at <= coalesce(p_before_at, 'infinity')
          and (p_before_at is null or (s.started_at, s.id) < (p_before_at, p_before_id))
          and (not p_filters ? 'project' or p_filters -> 'project' ? s.project_id::text)
          and (not p_filters ? 'key' or p_filters -> 'key' ? s.api_key_id::text)
          and (not p_filters ? 'state' or p_filters -> 'state' ? s.state)
        order by s.started_at desc, s.id desc limit p_limit
    )
    select v.* from page p join public.sessions v on v.id = p.id
    order by p.started_at desc, p.id desc
$$;

comment on function app.websocket_sessions_page is 'A page of WebSocket sessions, newest first; keyset on (started_at, id).';
revoke execute on function app.websocket_sessions_page from public, anon, authenticated, service_role;
grant execute on function app.websocket_sessions_page to authenticated;
