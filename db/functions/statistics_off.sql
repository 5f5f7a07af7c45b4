-- statistics_off() → how many columns of tables that people read still had statistics: they are deleted, and collected no more
--
-- Postgres estimates how many rows a condition finds from statistics of all rows, also for a reader to whom row security
-- shows few of them, and EXPLAIN tells the estimate. By comparing estimates an analyst could spell out words of other
-- organizations. Without statistics an estimate depends on the sizes of tables only.
--
-- Tables of schema public and the months of usage_logs, but not what another role has made in schema public. Deleting what was
-- collected before needs Postgres 18, or a superuser: on an older server the owner only stops the collecting, and flask doctor
-- prints the statement for an administrator.
create or replace function app.statistics_off() returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_changed integer := 0;
    r record;
begin
    for r in
        select c.oid::regclass as name, count(*) as columns,
            case when c.relkind in ('r', 'p') then 'table only' else 'index' end as kind,
            string_agg(format('alter column %s set statistics 0', case when c.relkind in ('r', 'p') then quote_ident(a.attname)
                else a.attnum::text end), ', ') as changes
        from pg_catalog.pg_class c
        join pg_catalog.pg_attribute a on a.attrelid = c.oid
        left join pg_catalog.pg_index i on i.indexrelid = c.oid
        where (c.relnamespace = 'public'::regnamespace
                or c.relnamespace = 'private'::regnamespace and c.relname ~ '^usage_logs_\d{4}_\d\d')
          and (c.relkind in ('r', 'p') or i.indkey[a.attnum - 1] = 0)  -- an expression of an index has statistics of its own
          and a.attnum > 0 and not a.attisdropped and a.attstattarget is distinct from 0
          and pg_catalog.pg_has_role(c.relowner, 'usage')
        group by c.oid, c.relkind
    loop
        execute format('alter %s %s %s', r.kind, r.name, r.changes);
        v_changed := v_changed + r.columns;
    end loop;
    for r in
        select s.schemaname, s.tablename, s.attname, s.inherited from pg_catalog.pg_stats s
        join pg_catalog.pg_class c on c.oid = format('%I.%I', s.schemaname, s.tablename)::regclass
        where pg_catalog.pg_has_role(c.relowner, 'usage')
          and (s.schemaname = 'public' or s.schemaname = 'private' and s.tablename ~ '^usage_logs_\d{4}_\d\d')
    loop
        begin
            if current_setting('server_version_num')::integer >= 180000 then
                perform pg_catalog.pg_clear_attribute_stats(r.schemaname, r.tablename, r.attname, r.inherited);
            else
                delete from pg_catalog.pg_statistic s where s.starelid = format('%I.%I', r.schemaname, r.tablename)::regclass;
            end if;
            v_changed := v_changed + 1;
        exception when insufficient_privilege then
            exit;
        end;
    end loop;
    return v_changed;
end $$;

comment on function app.statistics_off is
    'Deletes the planner''s statistics of tables that people read, because EXPLAIN would tell them to other organizations.';
-- No grant: run by the owner, with flask migrate and for each new month.
revoke execute on function app.statistics_off from public, anon, authenticated, service_role;
