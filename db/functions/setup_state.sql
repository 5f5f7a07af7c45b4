-- setup_state() → what the caller's organization has of the three steps to its first call; always one row
--
-- A project, a key that works, and when the latest call arrived. What does not exist is null.
create or replace function app.setup_state()
returns table (project_id uuid, project text, key_id uuid, key text, key_prefix text, last_call_at timestamptz)
language sql stable
set search_path = ''
as $$
    select p.id, p.name, k.id, k.name, k.prefix,
        (select u.started_at from public.usage_logs u
         join public.organizations o on o.id = u.org_id and o.books = u.upstream
         where u.org_id = (select app.current_org_id()) order by u.started_at desc limit 1)
    from (values (1)) as one (row)
    left join lateral (
        select k.id, k.name, k.prefix, k.project_id from public.api_keys k
        join public.projects q on q.id = k.project_id and q.archived_at is null
        where k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
        order by k.created_at desc, k.id limit 1
    ) k on true
    left join lateral (
        select q.id, q.name from public.projects q where q.archived_at is null
        order by q.id = k.project_id desc, q.created_at, q.id limit 1
    ) p on true
$$;

comment on function app.setup_state is
    'A project, a working key and the moment of the latest call: the steps of the first run.';
revoke execute on function app.setup_state from public, anon, authenticated, service_role;
grant execute on function app.setup_state to authenticated;
