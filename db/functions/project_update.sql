-- project_update(project, name, archived, metadata tags) → the project as it is now; a null argument leaves that part as it is
--
-- Keys of an archived project are refused from the next call on (app.open_calls checks it); all its calls and sums stay.
-- Metadata tags: whether `metadata` of the project's requests becomes tags (open_calls tells the gateway), from the next call on.
-- Raises PT404 project_not_found; PT409 project_name_taken, also when restoring a project whose name another one has now.
create or replace function app.project_update(
    p_project_id uuid, p_name text, p_archived boolean, p_metadata_tags boolean
) returns table (id uuid, name text, created_at timestamptz, archived_at timestamptz, metadata_tags boolean)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_org uuid := app.require_admin();
    v_old public.projects;
    v_new public.projects;
begin
    select * into v_old from public.projects p where p.id = p_project_id and p.org_id = v_org for no key update;
    if not found then
        raise sqlstate 'PT404' using message = 'no such project', detail = 'project_not_found';
    end if;
    update public.projects p set
        name = case when p_name is null then p.name else app.clean_name(p_name, 'name') end,
        archived_at = case when p_archived is null then p.archived_at when p_archived then coalesce(p.archived_at, now()) end,
        metadata_tags = coalesce(p_metadata_tags, p.metadata_tags)
    where p.id = v_old.id returning * into v_new;
    if v_new.name <> v_old.name then
        perform app.audit(v_org, 'project.renamed', v_new.id, jsonb_build_object('from', v_old.name, 'to', v_new.name));
    end if;
    if (v_new.archived_at is null) <> (v_old.archived_at is null) then
        perform app.audit(v_org, case when v_new.archived_at is null then 'project.restored' else 'project.archived' end,
                          v_new.id, jsonb_build_object('name', v_new.name));
    end if;
    if v_new.metadata_tags <> v_old.metadata_tags then
        perform app.audit(v_org, case when v_new.metadata_tags then 'project.metadata_on' else 'project.metadata_off' end,
                          v_new.id, jsonb_build_object('name', v_new.name));
    end if;
    return query select v_new.id, v_new.name, v_new.created_at, v_new.archived_at, v_new.metadata_tags;
exception when unique_violation then
    raise sqlstate 'PT409' using message = 'a project of that name exists already', detail = 'project_name_taken',
        column = 'name';
end $$;

comment on function app.project_update is 'Renames, archives or restores a project of the admin''s organization, or switches its tags from metadata on or off.';
revoke execute on function app.project_update from public, anon, authenticated, service_role;
grant execute on function app.project_update to authenticated;
