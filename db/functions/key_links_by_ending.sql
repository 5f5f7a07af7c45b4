-- key_links_by_ending(organization) → how many provider keys were linked with a key of OpenAI's list
--
-- A provider key is linked when exactly one key of the list has its ending (OpenAI shows three or four characters) and, where a
-- recent answer named the OpenAI project, is of this project. Several or none: an admin chooses. What was ever linked is left
-- alone, also when an admin ended the link. The install's own key is linked for the organization that it serves alone.
create or replace function app.key_links_by_ending(p_org_id uuid) returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_count integer := 0;
    v_link record;
begin
    for v_link in
        select v.id, v.last4, min(k.id) as openai_key_id
        from public.provider_key_versions v
        left join lateral (
            select u.openai_project from public.usage_logs u
            where u.org_id = p_org_id and u.provider_key_id = v.id and u.openai_project is not null
              and u.started_at >= coalesce(v.until, now()) - interval '40 days' and u.started_at < coalesce(v.until, now()) + interval '1 day'
            order by u.started_at desc limit 1
        ) seen on true
        join public.openai_keys k on k.org_id = p_org_id and length(k.ending) >= 3
            and (k.openai_project_id = seen.openai_project or seen.openai_project is null)
        where (v.org_id = p_org_id or v.org_id is null and not v.shared
               and exists (select from private.install i where i.first_org_id = p_org_id))
          and v.last4 <> '' and right(v.last4, length(k.ending)) = k.ending
          and not exists (select from public.key_links l where l.org_id = p_org_id and l.version_id = v.id)
        group by v.id, v.last4
        having count(*) = 1
    loop
        insert into public.key_links (org_id, version_id, openai_key_id, how)
        values (p_org_id, v_link.id, v_link.openai_key_id, 'ending');
        perform app.audit(p_org_id, 'key_link.set', v_link.id,
            jsonb_build_object('last4', v_link.last4, 'openai_key_id', v_link.openai_key_id, 'how', 'ending'));
        v_count := v_count + 1;
    end loop;
    return v_count;
end $$;

comment on function app.key_links_by_ending is 'Links provider keys with the only key of OpenAI''s list that has their ending and project.';
-- No grant: part of app.books_store.
revoke execute on function app.key_links_by_ending from public, anon, authenticated, service_role;
