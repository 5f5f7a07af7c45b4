-- organization_export() → the tables of which an admin exports every row of the organization, with a line in the audit log
--
-- One row for each table of schema public that has rows of organizations: its columns but those that nobody may read (hashes of
-- keys and tokens), the columns that order its rows (unique, along an index that begins with org_id where the table can be
-- large), and those that are added up: amounts, calls and tokens.
create or replace function app.organization_export()
returns table (name text, columns text[], ordered_by text[], added_up text[])
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
begin
    perform app.audit(v_org, 'organization.exported', v_org, '{}');
    return query
    select c.relname::text,
        array_agg(a.attname::text order by a.attnum),
        coalesce(o.columns, (
            select array_agg(k.attname::text order by array_position(i.indkey::smallint[], k.attnum))
            from pg_catalog.pg_index i join pg_catalog.pg_attribute k on k.attrelid = c.oid and k.attnum = any (i.indkey)
            where i.indrelid = c.oid and i.indisprimary)),
        coalesce(array_agg(a.attname::text order by a.attnum) filter (
            where a.atttypid = 'numeric'::regtype or a.attname = 'calls' or a.attname like 'tokens\_%'), '{}')
    from pg_catalog.pg_class c
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        and has_column_privilege('authenticated', c.oid, a.attnum, 'select')
    left join (values
        ('usage_logs', array['started_at', 'id']), ('websocket_sessions', array['started_at', 'id']),
        ('audit_log', array['at', 'id']), ('cost_adjustments', array['at', 'id']), ('cost_fills', array['at', 'id']),
        ('openai_cost_lines', array['day', 'fetch_id', 'id']), ('openai_usage_lines', array['width', 'start_at', 'id'])
    ) as o (name, columns) on o.name = c.relname
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and (c.relname = 'organizations' or exists (
          select from pg_catalog.pg_attribute r where r.attrelid = c.oid and r.attname = 'org_id' and not r.attisdropped))
    group by c.oid, c.relname, o.columns
    order by c.relname;
end $$;

comment on function app.organization_export is 'Tables and columns of the export of everything of the admin''s organization.';
revoke execute on function app.organization_export from public, anon, authenticated, service_role;
grant execute on function app.organization_export to authenticated;
