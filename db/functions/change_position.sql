-- change_position(person) → up to where a replica must have replayed before this person may read it; null for anywhere
--
-- Five minutes after a change there is nothing to wait for: a replica that is further behind is not used at all
-- (webapp/replica/). Without that limit, people would never read a replica of a server that was restored from a dump,
-- where positions begin anew.
create or replace function app.change_position(p_user_id uuid) returns pg_lsn
language sql stable security definer
set search_path = ''
as $$
    select c.wal_position from private.last_changes c
    where c.user_id = p_user_id and c.changed_at > now() - interval '5 minutes'
$$;

comment on function app.change_position is 'Position of the write-ahead log after a person''s last change, if that was lately.';
revoke execute on function app.change_position from public, anon, authenticated, service_role;
grant execute on function app.change_position to spendai_auth;
