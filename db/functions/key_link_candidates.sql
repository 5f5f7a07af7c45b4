-- key_link_candidates() → which key of OpenAI's list may be which provider key: those with its visible ending
--
-- Only for provider keys without a link that holds. fits: OpenAI's key is also of the project that recent answers to calls
-- with the provider key named, or none of them named a project. A provider key of fewer than 16 characters has no stored ending,
-- and no candidate.
create or replace function app.key_link_candidates()
returns table (version_id uuid, openai_key_id text, fits boolean)
language sql stable
set search_path = ''
as $$
    select v.id, k.id, coalesce(k.openai_project_id = seen.openai_project, true)
    from public.provider_key_versions v
    join public.openai_keys k on k.org_id = (select app.current_org_id()) and length(k.ending) >= 3
        and v.last4 <> '' and right(v.last4, length(k.ending)) = k.ending
    left join lateral (
        select u.openai_project from public.usage_logs u
        where u.org_id = k.org_id and u.provider_key_id = v.id and u.openai_project is not null
          and u.started_at >= coalesce(v.until, now()) - interval '40 days' and u.started_at < coalesce(v.until, now()) + interval '1 day'
        order by u.started_at desc limit 1
    ) seen on true
    where not (v.org_id is null and v.shared)
      and not exists (select from public.key_links l where l.version_id = v.id and l.org_id = k.org_id and l.ended_at is null)
    order by v.since desc, v.id, 3 desc, k.name, k.id
$$;

comment on function app.key_link_candidates is 'Keys of OpenAI''s list that have the ending of a provider key that is not linked.';
revoke execute on function app.key_link_candidates from public, anon, authenticated, service_role;
grant execute on function app.key_link_candidates to authenticated;
