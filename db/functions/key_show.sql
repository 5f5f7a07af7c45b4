-- key_show(key id) → one key of the caller's organization with its project, or no row
create or replace function app.key_show(p_key_id uuid)
returns table (id uuid, name text, prefix text, project_id uuid, project text)
language sql stable
set search_path = ''
as $$
    select k.id, k.name, k.prefix, p.id, p.name
    from public.api_keys k join public.projects p on p.id = k.project_id
    where k.id = p_key_id
$$;

comment on function app.key_show is 'Name, prefix and project of one key.';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.key_show from public, anon, authenticated, service_role;
grant execute on function app.key_show to authenticated;
