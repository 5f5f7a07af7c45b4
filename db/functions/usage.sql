-- usage(from, to, groups, filters) → spend of a period, grouped by any of the words, one row per group
--
-- With the caller's own rights, so row level security decides. p_from inclusive, p_to exclusive, both with a time zone:
-- the index on (org_id, started_at) needs that. p_group: day, project, model, key, endpoint, service_tier, status,
-- end_user, tag. p_filters: {"project": [...], "model": [...], …}, each a list of words; see app.entries_matching.
--
-- cost is as reported: calls of the period and corrections booked in it (adjustments: that part). cost_corrected is as known
-- today: calls of the period with every correction of them. A period cut in two has the same sums as the whole.
create or replace function app.usage(p_from timestamptz, p_to timestamptz, p_group text[], p_filters jsonb)
returns table (
    day date, project_id uuid, project text, key_id uuid, key text, key_prefix text, model text, endpoint text,
    service_tier text, status integer, end_user text, tag text,
    calls bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric,
    unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint,
    adjustments numeric, cost_corrected numeric
)
language sql stable
set search_path = ''
-- A plan for any filters would test each of them on every row, and made this 2 to 3 times slower from the sixth call on.
set plan_cache_mode = force_custom_plan
as $$
    with counted as (
        select
            case when 'day' = any (p_group) then (e.at at time zone 'utc')::date end as day,
            case when 'project' = any (p_group) then e.project_id end as project_id,
            case when 'key' = any (p_group) then e.api_key_id end as key_id,
            case when 'model' = any (p_group) then e.model end as model,
            case when 'endpoint' = any (p_group) then e.endpoint end as endpoint,
            case when 'service_tier' = any (p_group) then e.service_tier end as service_tier,
            case when 'status' = any (p_group) then e.status_code end as status,
            case when 'end_user' = any (p_group) then e.end_user end as end_user,
            t.tag,
            sum(e.calls) as calls,
            coalesce(sum(e.tokens_in), 0)::bigint as tokens_in,
            coalesce(sum(e.tokens_cached), 0)::bigint as tokens_cached,
            coalesce(sum(e.tokens_out), 0)::bigint as tokens_out,
            coalesce(sum(e.cost), 0) as cost,
            coalesce(sum(e.unpriced_calls), 0) as unpriced_calls,
            coalesce(sum(e.no_usage_calls), 0) as no_usage_calls,
            coalesce(sum(e.in_doubt_calls), 0) as in_doubt_calls,
            coalesce(sum(e.error_calls), 0) as error_calls,
            coalesce(sum(e.adjustments), 0) as adjustments,
            coalesce(sum(e.cost_corrected), 0) as cost_corrected
        from app.entries_matching(p_from, p_to, p_filters) e
        -- A call with several tags counts in each of them, one without in none.
        left join lateral (
            select x.key || '=' || (x.value #>> '{}') as tag from jsonb_each(e.tags) x where 'tag' = any (p_group)
        ) t on true
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9
    )
    select n.day, n.project_id, p.name, n.key_id, k.name, k.prefix, n.model, n.endpoint, n.service_tier, n.status, n.end_user, n.tag,
           n.calls, n.tokens_in, n.tokens_cached, n.tokens_out, n.cost, n.unpriced_calls, n.no_usage_calls, n.in_doubt_calls, n.error_calls,
           n.adjustments, n.cost_corrected
    from counted n
    left join public.projects p on p.id = n.project_id
    left join public.api_keys k on k.id = n.key_id
    order by n.day, n.cost desc, n.calls desc, p.name, k.name, n.model, n.endpoint, n.status, n.end_user, n.tag
$$;

comment on function app.usage is 'Spend of a period grouped by day, project, model, key, endpoint, service_tier, status, end_user or tag.';
revoke execute on function app.usage from public, anon, authenticated, service_role;
grant execute on function app.usage to authenticated;
