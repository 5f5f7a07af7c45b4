-- change_note(person): remembers that a person has just changed something, so that they do not read a replica that lacks it
--
-- Called after the change was committed: its commit record lies before the position taken here. The position is that of
-- what is written next, not of what is on disk, because with synchronous_commit = off a commit returns before it is there.
create or replace function app.change_note(p_user_id uuid) returns void
language sql security definer
set search_path = ''
as $$
    insert into private.last_changes as c (user_id, wal_position, changed_at)
    select u.id, pg_catalog.pg_current_wal_insert_lsn(), clock_timestamp() from auth.users u where u.id = p_user_id
    on conflict (user_id) do update set wal_position = excluded.wal_position, changed_at = excluded.changed_at
$$;

comment on function app.change_note is 'Remembers the position of the write-ahead log after a person''s last change.';
revoke execute on function app.change_note from public, anon, authenticated, service_role;
grant execute on function app.change_note to spendai_auth;
