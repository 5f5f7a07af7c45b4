-- sessions_end_all(person): ends every session of a person, in browsers and through the API, and every open link to set a new
-- password
--
-- A link too, because whoever holds one could take over the account whose password the person has just changed.
create or replace function app.sessions_end_all(p_user_id uuid) returns void
language sql security definer
set search_path = ''
as $$
    delete from private.web_sessions s where s.user_id = p_user_id;
    update private.login_sessions s set ended_at = now(), agent = null, address = null where s.user_id = p_user_id and s.ended_at is null;
    update private.password_resets r set used_at = now() where r.user_id = p_user_id and r.used_at is null;
$$;

comment on function app.sessions_end_all is 'Ends every session of a person and every link to set a password; also called when a new password is set.';
revoke execute on function app.sessions_end_all from public, anon, authenticated, service_role;
grant execute on function app.sessions_end_all to spendai_auth;
