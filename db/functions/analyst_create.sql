-- analyst_create(organization, name, verifier) → name of the database role made for an analyst
--
-- p_org: id or name of the organization. p_verifier: SCRAM verifier of the password, so that the server never sees the
-- password. Read-only transactions, time-outs and search path are only defaults: the analyst may change them in a session.
-- The limits that an analyst cannot change are the rights of the group spendai_analyst, the number of connections, the
-- size of temporary files, what goes to the server's log, and the length of a transaction (app.analysts_end_long).
create or replace function app.analyst_create(p_org text, p_name text, p_verifier text) returns name
language plpgsql
set search_path = ''
as $$
declare
    v_role name := 'an_' || left(replace(gen_random_uuid()::text, '-', ''), 12);
    v_limit text;
    v_orgs uuid[] := array(select o.id from public.organizations o where p_org in (o.id::text, o.name));
begin
    if cardinality(v_orgs) <> 1 then
        raise sqlstate 'PT404' using detail = 'organization_not_found',
            message = case when v_orgs = '{}' then format('no organization is called %L', p_org)
                else format('several organizations are called %L: give the id of one', p_org) end;
    end if;
    -- An analyst with this right could fill the disk with temporary tables; the product needs none.
    execute format('revoke temporary on database %I from public', current_database());
    execute format('create role %I login password %L connection limit 3 in role spendai_analyst', v_role, p_verifier);
    execute format('alter role %I set default_transaction_read_only = on', v_role);
    execute format('alter role %I set statement_timeout = %L', v_role, '30s');
    execute format('alter role %I set idle_in_transaction_session_timeout = %L', v_role, '60s');
    execute format('alter role %I set search_path = public, pg_temp', v_role);
    execute format('alter role %I set jit = off', v_role);  -- compiling a query over all months takes longer than running it
    -- Neither sorting nor `raise log` must fill the disk.
    foreach v_limit in array array['temp_file_limit = ''1GB''', 'log_min_messages = fatal'] loop
        begin
            execute format('alter role %I set %s', v_role, v_limit);
        exception when insufficient_privilege then null;  -- flask doctor prints the statement for a superuser
        end;
    end loop;
    insert into private.analyst_logins (role_name, org_id, name) values (v_role, v_orgs[1], app.clean_name(p_name, 'name'));
    perform app.audit(v_orgs[1], 'analyst.created', null, jsonb_build_object('login', v_role, 'name', app.clean_name(p_name, 'name')));
    return v_role;
end $$;

comment on function app.analyst_create is
    'Makes the SQL login of an analyst, who reads one organization; called by the operator.';
-- No grant: only the owner of the database can make roles.
revoke execute on function app.analyst_create from public, anon, authenticated, service_role;
