-- sums_source(words, filters) → the sources of app.sums_entries that answer a question about whole days or hours, added up; null: none do
--
-- {all}: daily_totals. {end_user}, {tag}: daily_labels of that kind. Where calls without a label count too, all calls less those with
-- one are added: {end_user,all,-end_user}.
-- daily_labels has no model, endpoint, tier, status, cost status or kinds of cost, and a row has one label only: no question about both
-- end users and tags. Filters by several tags, tags left out, and filters by tag while grouping by tag are not answered from
-- daily_labels either, because a call that has two of the tags would count twice. The word calls, which groups nothing, asks
-- for the calls themselves: a day may count labels as (other), and only its calls know which (see app.labels_other).
create or replace function app.sums_source(p_words text[], p_filters jsonb) returns text[]
language sql immutable
set search_path = ''
as $$
    select case
        when not l.users and not l.tags then array['all']
        when l.users and l.tags or p_words && '{calls,model,endpoint,service_tier,status,kind}'
            or p_filters ?| '{model,endpoint,service_tier,status,cost_status}'
            or p_filters ?| '{not_model,not_endpoint,not_service_tier,not_status,not_cost_status}' then null
        when l.users then array['end_user'] || case when (not p_filters ? 'end_user' or p_filters -> 'end_user' ? '')
            and not coalesce(p_filters -> 'not_end_user' ? '', false) then '{all,-end_user}' else '{}'::text[] end
        when not p_filters ?| '{tag,not_tag}' then '{tag,all,-tag}'
        when p_filters ? 'not_tag' or jsonb_array_length(p_filters -> 'tag') <> 1 or 'tag' = any (p_words) then null
        when p_filters -> 'tag' ? '' then '{all,-tag}'
        else '{tag}'
    end
    from (select 'end_user' = any (p_words) or p_filters ?| '{end_user,not_end_user}' as users,
        'tag' = any (p_words) or p_filters ?| '{tag,not_tag}' as tags) l
$$;

comment on function app.sums_source is
    'Which totals answer a question: all, end_user, tag; null when none do. Part of app.sums.';
revoke execute on function app.sums_source from public, anon, authenticated, service_role;
grant execute on function app.sums_source to authenticated;
