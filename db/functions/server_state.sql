-- server_state() → which cluster answers, whether it is a replica, how far it has written or replayed, its last migration
--
-- cluster: the same for a primary and its physical replicas, and for no other server. wal_position: of a primary up to where
-- its log is on disk, which has every commit that was confirmed before; of a replica up to where it has replayed that log.
create or replace function app.server_state()
returns table (cluster text, is_replica boolean, wal_position pg_lsn, schema_version text)
language sql volatile security definer
set search_path = ''
as $$
    select s.system_identifier::text, r.is_replica,
        case when r.is_replica then pg_catalog.pg_last_wal_replay_lsn() else pg_catalog.pg_current_wal_flush_lsn() end,
        app.schema_version()
    from pg_catalog.pg_control_system() s, pg_catalog.pg_is_in_recovery() as r (is_replica)
$$;

comment on function app.server_state is 'Cluster, role and position of the server that answers; for comparing a replica with its primary.';
revoke execute on function app.server_state from public, anon, authenticated, service_role;
grant execute on function app.server_state to spendai_auth;
