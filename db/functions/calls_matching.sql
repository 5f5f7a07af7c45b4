-- calls_matching(from, to, filters) → the rows of usage_logs that a page, an export or the API asks for
--
-- One meaning of every filter for all of them. Each filter is a list of words of which one must fit; an unknown word simply
-- fits nothing. Ids are compared as text, so that a mistyped one is no error.
-- status: a number, or `error` for all from 400 on. tag: `name=value` or a name alone.
create or replace function app.calls_matching(p_from timestamptz, p_to timestamptz, p_filters jsonb)
returns setof public.usage_logs
language sql stable
set search_path = ''
as $$
    select u.*
    from public.usage_logs u
    where u.org_id = (select app.current_org_id())
      and u.started_at >= p_from and u.started_at < p_to
      and u.upstream = (select o.books from public.organizations o where o.id = (select app.current_org_id()))
      and (p_filters -> 'project' is null or p_filters -> 'project' ? u.project_id::text)
      and (p_filters -> 'key' is null or p_filters -> 'key' ? u.api_key_id::text)
      and (p_filters -> 'model' is null or p_filters -> 'model' ? coalesce(u.model, u.model_requested, ''))
      and (p_filters -> 'endpoint' is null or p_filters -> 'endpoint' ? u.endpoint)
      and (p_filters -> 'status' is null or p_filters -> 'status' ? u.status_code::text
           or (p_filters -> 'status' ? 'error' and u.status_code >= 400))
      and (p_filters -> 'cost_status' is null or p_filters -> 'cost_status' ? u.cost_status
           or (p_filters -> 'cost_status' ? 'in_doubt' and u.state = 'open' and u.deadline_at < now()))
      and (p_filters -> 'end_user' is null or p_filters -> 'end_user' ? u.end_user)
      and (p_filters -> 'tag' is null or exists (
            select from jsonb_each_text(u.tags) t
            where p_filters -> 'tag' ? t.key or p_filters -> 'tag' ? (t.key || '=' || t.value)))
$$;

comment on function app.calls_matching is 'Calls of the caller''s organization in a period that fit the filters.';
revoke execute on function app.calls_matching from public, anon, authenticated, service_role;
grant execute on function app.calls_matching to authenticated;
