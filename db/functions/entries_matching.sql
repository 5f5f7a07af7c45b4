-- entries_matching(from, to, filters) → calls and corrections that a page, an export or the API asks for
--
-- One meaning of every filter for all of them; corrections go with their call. Each filter is a list of words of which one
-- must fit; an unknown word simply fits nothing. Ids are compared as text, so that a mistyped one is no error.
-- status: a number, or `error` for all from 400 on. tag: `name=value` or a name alone.
--
-- No `set search_path`, unlike everywhere else: with it Postgres would make all rows before it looks at what the caller
-- wants of them. Without, this is planned as part of the caller's query and reads by index.
create or replace function app.entries_matching(p_from timestamptz, p_to timestamptz, p_filters jsonb)
returns setof public.bookings
language sql stable
as $$
    select b.*
    from public.bookings b
    where b.org_id = (select app.current_org_id())
      and b.at >= p_from and b.at < p_to
      and (p_filters -> 'project' is null or p_filters -> 'project' ? b.project_id::text)
      and (p_filters -> 'key' is null or p_filters -> 'key' ? b.api_key_id::text)
      and (p_filters -> 'model' is null or p_filters -> 'model' ? coalesce(b.model, ''))
      and (p_filters -> 'endpoint' is null or p_filters -> 'endpoint' ? b.endpoint)
      and (p_filters -> 'status' is null or p_filters -> 'status' ? b.status_code::text
           or (p_filters -> 'status' ? 'error' and b.status_code >= 400))
      and (p_filters -> 'cost_status' is null or p_filters -> 'cost_status' ? b.cost_status
           or (p_filters -> 'cost_status' ? 'in_doubt' and b.state = 'open' and b.deadline_at < now()))
      and (p_filters -> 'end_user' is null or p_filters -> 'end_user' ? b.end_user)
      and (p_filters -> 'tag' is null or exists (
            select from jsonb_each_text(b.tags) t
            where p_filters -> 'tag' ? t.key or p_filters -> 'tag' ? (t.key || '=' || t.value)))
$$;

comment on function app.entries_matching is 'Calls and corrections of the caller''s organization that count in a period and fit the filters.';
revoke execute on function app.entries_matching from public, anon, authenticated, service_role;
grant execute on function app.entries_matching to authenticated;
