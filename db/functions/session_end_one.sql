-- session_end_one(person, session) → whether a session of this person was ended now, in a browser or through the API
create or replace function app.session_end_one(p_user_id uuid, p_id uuid) returns boolean
language sql security definer
set search_path = ''
as $$
    with browser as (
        delete from private.web_sessions s where s.id = p_id and s.user_id = p_user_id returning 1
    ), api as (
        update private.login_sessions s set ended_at = now(), agent = null, address = null
        where s.id = p_id and s.user_id = p_user_id and s.ended_at is null returning 1
    )
    select exists (select from browser) or exists (select from api)
$$;

comment on function app.session_end_one is 'Ends one session of a person; false when the person has no such session.';
revoke execute on function app.session_end_one from public, anon, authenticated, service_role;
grant execute on function app.session_end_one to spendai_auth;
