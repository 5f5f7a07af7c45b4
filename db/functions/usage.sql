-- usage(from, to, groups, filters) → spend of a period, grouped by any of the words, one row per group
--
-- With the caller's own rights, so row level security decides. p_from inclusive, p_to exclusive, both with a time zone:
-- the index on (org_id, started_at) needs that. p_group: day, project, model, key, endpoint, service_tier, status,
-- end_user, tag. p_filters: {"project": [...], "model": [...], …}, each a list of words; see app.calls_matching.
create or replace function app.usage(p_from timestamptz, p_to timestamptz, p_group text[], p_filters jsonb)
returns table (
    day date, project_id uuid, project text, key_id uuid, key text, key_prefix text, model text, endpoint text,
    service_tier text, status integer, end_user text, tag text,
    calls bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric,
    unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint
)
language sql stable
set search_path = ''
as $$
    with counted as (
        select
            case when 'day' = any (p_group) then (c.started_at at time zone 'utc')::date end as day,
            case when 'project' = any (p_group) then c.project_id end as project_id,
            case when 'key' = any (p_group) then c.api_key_id end as key_id,
            case when 'model' = any (p_group) then coalesce(c.model, c.model_requested) end as model,
            case when 'endpoint' = any (p_group) then c.endpoint end as endpoint,
            case when 'service_tier' = any (p_group) then c.service_tier end as service_tier,
            case when 'status' = any (p_group) then c.status_code end as status,
            case when 'end_user' = any (p_group) then c.end_user end as end_user,
            t.tag,
            count(*) as calls,
            coalesce(sum(c.tokens_in), 0)::bigint as tokens_in,
            coalesce(sum(c.tokens_cached), 0)::bigint as tokens_cached,
            coalesce(sum(c.tokens_out), 0)::bigint as tokens_out,
            coalesce(sum(c.cost), 0) as cost,
            count(*) filter (where c.cost_status in ('unpriced_model', 'unpriced_dimension')) as unpriced_calls,
            count(*) filter (where c.cost_status in ('no_usage', 'pending_object')) as no_usage_calls,
            count(*) filter (where c.state = 'open' and c.deadline_at < now()) as in_doubt_calls,
            count(*) filter (where c.status_code >= 400) as error_calls
        from app.calls_matching(p_from, p_to, p_filters) c
        -- A call with several tags counts in each of them, one without in none.
        left join lateral (
            select x.key || '=' || (x.value #>> '{}') as tag from jsonb_each(c.tags) x where 'tag' = any (p_group)
        ) t on true
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9
    )
    select n.day, n.project_id, p.name, n.key_id, k.name, k.prefix, n.model, n.endpoint, n.service_tier, n.status, n.end_user, n.tag,
           n.calls, n.tokens_in, n.tokens_cached, n.tokens_out, n.cost, n.unpriced_calls, n.no_usage_calls, n.in_doubt_calls, n.error_calls
    from counted n
    left join public.projects p on p.id = n.project_id
    left join public.api_keys k on k.id = n.key_id
    order by n.day, n.cost desc, n.calls desc, p.name, k.name, n.model, n.endpoint, n.status, n.end_user, n.tag
$$;

comment on function app.usage is 'Spend of a period grouped by day, project, model, key, endpoint, service_tier, status, end_user or tag.';
revoke execute on function app.usage from public, anon, authenticated, service_role;
grant execute on function app.usage to authenticated;
