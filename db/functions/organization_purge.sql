-- organization_purge(organization) → how many rows were removed: everything of an organization whose seven days have passed
--
-- Of every table with a column org_id, those first that refer to others. People keep their accounts. OPENAI_API_KEY, which
-- serves the first organization, serves nobody once that one is removed: whoever signs up next must not get it. Raises PT409
-- organization_kept.
create or replace function app.organization_purge(p_org_id uuid) returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_login name;
    v_table regclass;
    v_rows bigint;
    v_removed bigint := 0;
begin
    perform from public.organizations o where o.id = p_org_id for no key update;  -- an admin may be taking it back
    if not app.organization_due(p_org_id) then
        raise sqlstate 'PT409' using message = 'the organization is not to be removed now', detail = 'organization_kept';
    end if;
    for v_login in select a.role_name from private.analyst_logins a where a.org_id = p_org_id loop
        perform app.analyst_remove(v_login);
    end loop;
    update private.install i set first_org_id = null where i.first_org_id = p_org_id;
    for v_table in
        with recursive owned as (
            select c.oid from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid
            where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p')
              and not c.relispartition and a.attname = 'org_id' and not a.attisdropped
        ), steps (oid, n) as (
            select o.oid, 0 from owned o
            union
            select k.confrelid, s.n + 1
            from steps s join pg_catalog.pg_constraint k on k.conrelid = s.oid and k.contype = 'f'
            where k.confrelid <> k.conrelid and k.confrelid in (select o.oid from owned o)
        )
        select s.oid::regclass from steps s group by s.oid order by max(s.n), s.oid::regclass::text
    loop
        execute format('delete from %s where org_id = $1', v_table) using p_org_id;
        get diagnostics v_rows = row_count;
        v_removed := v_removed + v_rows;
    end loop;
    delete from public.organizations o where o.id = p_org_id;
    return v_removed + 1;
end $$;

comment on function app.organization_purge is 'Removes an organization and everything of it, seven days after an admin asked for that.';
-- No grant: for the operator, through flask organizations purge.
revoke execute on function app.organization_purge from public, anon, authenticated, service_role;
