-- Statements for a superuser, which keep analysts with SQL logins from harming others; those that are done already are left out
--
-- Postgres lets every login run the functions below. They can fill the lock table or the disk that all sessions share (advisory
-- locks, large objects, messages in the write-ahead log, exported snapshots), or tell how much others read and write. It lets
-- every login sort in files and, with `do $$ begin raise log …`, write to the server's log without end. And it
-- lets comparisons of leakproof functions use an index before row security hides the rows of others, which EXPLAIN ANALYZE
-- counts: with < and > of uuid and text an analyst would find out ids and words that an index begins with.
--
-- The embedded server runs the statements at each start; for any other server `flask doctor` prints them.
with owner as (
    select coalesce((select relowner::regrole from pg_class where oid = to_regclass('public.usage_logs')), datdba::regrole) as name
    from pg_database where datname = current_database()
), harmful as (
    select p.oid, p.oid::regprocedure::text as name
    from pg_proc p
    where p.pronamespace = 'pg_catalog'::regnamespace and (
        p.proname ~ '^pg_(try_)?advisory_'
        or p.proname ~ '^pg_stat_get_(?!xact_)'  -- what a session did in its own transaction tells nothing of others
        or p.proname ~ '^pg_(current|last)_(wal_.*lsn|xact_id|snapshot|xact_replay_timestamp|committed_xact)$'
        or p.proname in ('pg_control_checkpoint', 'pg_control_recovery')
        or p.proname in ('pg_logical_emit_message', 'pg_export_snapshot', 'pg_lock_status', 'txid_current', 'txid_current_snapshot')
        or p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_open', 'lo_put', 'lo_truncate', 'lo_truncate64', 'lowrite'))
), public_ones as (
    select h.name from harmful h join pg_proc p using (oid)
    where exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)
), needed as (
    select h.name from harmful h, owner o where not has_function_privilege(o.name::oid, h.oid, 'execute') or h.name in (table public_ones)
), limited (setting, value) as (  -- of analysts' logins, as app.analyst_create sets them
    values ('temp_file_limit', '1GB'), ('log_min_messages', 'fatal')
), statements as (
    select 1 as place, format('grant execute on function %s to %s, pg_monitor', string_agg(n.name, ', ' order by n.name), o.name) as text
    from needed n, owner o group by o.name
    union all
    select 2, format('revoke execute on function %s from public', string_agg(name, ', ' order by name)) from public_ones having count(*) > 0
    union all
    -- The functions are open in every other database, and locks and disk are the server's
    select 3, 'revoke connect on database template1 from public' from pg_database d
    where datname = 'template1' and exists (
        select from aclexplode(coalesce(datacl, acldefault('d', datdba))) a where a.grantee = 0 and a.privilege_type = 'CONNECT')
    union all
    -- For app.analyst_create, and below for app.analysts_end_long
    select 4, format('grant set on parameter %s to %s', l.setting, o.name) from owner o, limited l
    where not has_parameter_privilege(o.name::oid, l.setting, 'set')
    union all
    select 5, format('grant %I to %s', r, name) from owner, unnest(array['pg_signal_backend', 'pg_read_all_stats']) r
    where not pg_has_role(name::oid, r::name, 'usage')
    union all
    select 6, format('alter role %I set %s = %L', r.rolname, l.setting, l.value) from pg_roles r, owner o, limited l
    where r.rolcanlogin and r.oid <> o.name::oid and not r.rolsuper and not coalesce(r.rolconfig::text ~ l.setting, false)
      and exists (select from pg_auth_members m where m.member = r.oid and m.roleid = to_regrole('spendai_analyst'))
    union all
    -- Equality stays leakproof, since joins need it: with it one can only ask for a value that one knows
    select 7, format('alter function %s not leakproof', p.oid::regprocedure) from pg_proc p
    where p.pronamespace = 'pg_catalog'::regnamespace and p.proname ~ '^(uuid|text)_(lt|le|gt|ge)$' and p.proleakproof
)
select text from statements order by place, text
