-- setup_state() → what the caller's organization has of the steps to its first call, and of those after it; always one row
--
-- A project, a key that works, and when the latest call arrived; what does not exist is null. openai: an OpenAI key serves
-- the organization. team: it has another member, or has invited somebody (only admins see invitations).
create or replace function app.setup_state()
returns table (
    project_id uuid, project text, key_id uuid, key text, key_prefix text, last_call_at timestamptz, openai boolean,
    team boolean
)
language sql stable
set search_path = ''
as $$
    select p.id, p.name, k.id, k.name, k.prefix,
        (select u.started_at from public.usage_logs u
         join public.organizations o on o.id = u.org_id and o.books = u.upstream
         where u.org_id = (select app.current_org_id()) order by u.started_at desc limit 1),
        exists (select from public.organizations o where o.id = (select app.current_org_id()) and o.books = 'openai'),
        exists (select from public.members m where m.user_id <> auth.uid()) or exists (select from public.invitations)
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
    'A project, a working key, the latest call, an OpenAI key, a team: the steps of the first run and after it.';
revoke execute on function app.setup_state from public, anon, authenticated, service_role;
grant execute on function app.setup_state to authenticated;
