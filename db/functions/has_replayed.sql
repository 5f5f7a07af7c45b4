-- has_replayed(position) → whether this server has everything up to a position of the write-ahead log; a primary has
create or replace function app.has_replayed(p_position pg_lsn) returns boolean
language sql volatile security definer
set search_path = ''
as $$
    select not pg_catalog.pg_is_in_recovery() or coalesce(pg_catalog.pg_last_wal_replay_lsn() >= p_position, false)
$$;

comment on function app.has_replayed is 'Whether a read replica has everything that was written before a position.';
revoke execute on function app.has_replayed from public, anon, authenticated, service_role;
grant execute on function app.has_replayed to authenticated;
