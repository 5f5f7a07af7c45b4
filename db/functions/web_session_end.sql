-- web_session_end(id hash): ends the session of one browser
create or replace function app.web_session_end(p_id_hash bytea) returns void
language sql security definer
set search_path = ''
as $$
    delete from private.web_sessions s where s.id_hash = p_id_hash
$$;

comment on function app.web_session_end is 'Ends a browser session.';
revoke execute on function app.web_session_end from public, anon, authenticated, service_role;
grant execute on function app.web_session_end to spendai_auth;
