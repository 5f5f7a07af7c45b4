-- sums_source(words, filters) → which daily totals answer a question about whole days: all, end_user or tag; null: none do
--
-- all: daily_totals. end_user, tag: daily_labels of that kind. daily_labels has no model, endpoint, tier, status or cost
-- status, and a row has one label only: no question about both end users and tags. A filter by several tags, or by tag while
-- grouping by tag, is not answered from daily_labels either, because a call that has two of the tags would count twice; nor is
-- one that leaves out end users or tags, or asks for calls without any (an empty word).
create or replace function app.sums_source(p_words text[], p_filters jsonb) returns text
language sql immutable
set search_path = ''
as $$
    select case
        when not l.users and not l.tags then 'all'
        when l.users and l.tags or p_words && '{model,endpoint,service_tier,status}'
            or p_filters ?| '{model,endpoint,service_tier,status,cost_status,not_model,not_endpoint,not_service_tier,not_status}'
            or p_filters ?| '{not_cost_status,not_end_user,not_tag}' or p_filters -> 'end_user' ? '' or p_filters -> 'tag' ? '' then null
        when l.users then 'end_user'
        when not p_filters ? 'tag' or jsonb_array_length(p_filters -> 'tag') = 1 and not 'tag' = any (p_words) then 'tag'
    end
    from (
        select 'end_user' = any (p_words) or p_filters ?| '{end_user,not_end_user}' as users,
            'tag' = any (p_words) or p_filters ?| '{tag,not_tag}' as tags
    ) l
$$;

comment on function app.sums_source is
    'Which daily totals answer a question: all, end_user, tag; null when none do. Part of app.sums.';
revoke execute on function app.sums_source from public, anon, authenticated, service_role;
grant execute on function app.sums_source to authenticated;
