-- analyst_remove(login): ends the sessions of an analyst's login, then drops the role and what it owns
create or replace function app.analyst_remove(p_role name) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_login private.analyst_logins;
begin
    delete from private.analyst_logins a where a.role_name = p_role returning * into v_login;
    if v_login is null then
        raise sqlstate 'PT404' using message = format('no analyst logs in as %L', p_role), detail = 'analyst_not_found';
    end if;
    perform app.audit(v_login.org_id, 'analyst.removed', null, jsonb_build_object('login', p_role, 'name', v_login.name));
    if not exists (select from pg_catalog.pg_roles r where r.rolname = p_role) then
        return;  -- after a backup was restored into another cluster: it has the row, but roles are in no backup
    end if;
    execute format('grant %I to current_user', p_role);  -- both lines below need membership in it
    perform pg_catalog.pg_terminate_backend(a.pid) from pg_catalog.pg_stat_activity a where a.usename = p_role;
    execute format('drop owned by %I', p_role);  -- large objects, the only thing that an analyst can create
    execute format('drop role %I', p_role);
end $$;

comment on function app.analyst_remove is
    'Removes the SQL login of an analyst and ends its sessions; called by the operator.';
-- No grant: only the owner of the database can drop roles.
revoke execute on function app.analyst_remove from public, anon, authenticated, service_role;
