-- books_links() → every provider key of the organization with the key of OpenAI's list that it is linked with; the latest first
--
-- link_id, how, linked_at and the columns of OpenAI's key are null without a link that holds.
create or replace function app.books_links()
returns table (
    version_id uuid, last4 text, project text, install boolean, since timestamptz, until timestamptz, link_id uuid, how text,
    linked_at timestamptz, openai_key_id text, openai_key text, openai_project text
)
language sql stable
set search_path = ''
as $$
    select v.id, v.last4, p.name, v.org_id is null, v.since, v.until, l.id, l.how, l.since, l.openai_key_id, k.name, coalesce(q.name, q.id)
    from public.provider_key_versions v
    left join public.projects p on p.id = v.project_id
    left join public.key_links l on l.version_id = v.id and l.org_id = (select app.current_org_id()) and l.ended_at is null
    left join public.openai_keys k on k.org_id = l.org_id and k.id = l.openai_key_id
    left join public.openai_projects q on q.org_id = k.org_id and q.id = k.openai_project_id
    where not (v.org_id is null and v.shared)
    order by v.since desc, v.id
$$;

comment on function app.books_links is 'Provider keys of the organization and the keys of OpenAI''s list that they are linked with.';
revoke execute on function app.books_links from public, anon, authenticated, service_role;
grant execute on function app.books_links to authenticated;
