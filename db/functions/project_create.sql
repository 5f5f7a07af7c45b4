-- project_create(name) → the new project; PT409 project_name_taken when a project that is not archived has the name
create or replace function app.project_create(p_name text)
returns table (id uuid, name text, created_at timestamptz, archived_at timestamptz, metadata_tags boolean)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_org uuid := app.require_admin();
    v_project public.projects;
begin
    insert into public.projects (org_id, name, created_by) values (v_org, app.clean_name(p_name, 'name'), auth.uid())
    returning * into v_project;
    perform app.audit(v_org, 'project.created', v_project.id, jsonb_build_object('name', v_project.name));
    return query select v_project.id, v_project.name, v_project.created_at, v_project.archived_at, v_project.metadata_tags;
exception when unique_violation then
    raise sqlstate 'PT409' using message = 'a project of that name exists already', detail = 'project_name_taken',
        column = 'name';
end $$;

comment on function app.project_create is
    'Makes a project in the admin''s organization; no two projects that are not archived have the same name.';
revoke execute on function app.project_create from public, anon, authenticated, service_role;
grant execute on function app.project_create to authenticated;
