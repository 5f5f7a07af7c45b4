-- spend_breakdown(from, to, by, filters, top) → one row per project, model, key, …, the biggest spender first
--
-- p_by: a word of app.usage. series is the row's colour, 1 to 6, and 0 for all after those. With p_top the rows after that many
-- become one without an id (members says how many they were), unless it is only one: then it keeps its own name.
create or replace function app.spend_breakdown(
    p_from timestamptz, p_to timestamptz, p_by text, p_filters jsonb, p_top integer
) returns table (
    series integer, id text, name text, project_id uuid, project text, key_prefix text, members bigint,
    calls bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric,
    unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint, share numeric,
    adjustments numeric, cost_corrected numeric
)
language sql stable
set search_path = ''
as $$
    with found as (
        select u.*,
            case p_by when 'project' then u.project_id::text when 'key' then u.key_id::text when 'model' then coalesce(u.model, '')
                when 'endpoint' then u.endpoint when 'service_tier' then u.service_tier when 'status' then u.status::text
                when 'end_user' then u.end_user when 'tag' then u.tag end as id,
            row_number() over (order by u.cost desc, u.calls desc, u.project, u.key, u.model, u.key_id, u.project_id,
                u.endpoint, u.service_tier, u.status, u.end_user, u.tag) as place,
            count(*) over () as many
        from app.usage(p_from, p_to, case p_by when 'key' then array['key', 'project'] else array[p_by] end, p_filters) u
    ), folded as (
        select f.*, coalesce(f.place > p_top and f.many > p_top + 1, false) as is_rest from found f
    )
    select case when min(f.place) <= 6 then min(f.place)::integer else 0 end,
        case when not f.is_rest then min(f.id) end,
        case when not f.is_rest then min(case p_by when 'project' then f.project when 'key' then f.key else f.id end) end,
        case when not f.is_rest then min(f.project_id::text)::uuid end,
        case when not f.is_rest then min(f.project) end,
        case when not f.is_rest then min(f.key_prefix) end,
        count(*), sum(f.calls)::bigint, sum(f.tokens_in)::bigint, sum(f.tokens_cached)::bigint, sum(f.tokens_out)::bigint,
        sum(f.cost), sum(f.unpriced_calls)::bigint, sum(f.no_usage_calls)::bigint, sum(f.in_doubt_calls)::bigint,
        sum(f.error_calls)::bigint, sum(f.cost) / nullif(sum(sum(f.cost)) over (), 0),
        sum(f.adjustments), sum(f.cost_corrected)
    from folded f
    group by f.is_rest, case when not f.is_rest then f.place end
    order by min(f.place)
$$;

comment on function app.spend_breakdown is 'Spend of a period by one word, the biggest first, with each row''s share and colour.';
revoke execute on function app.spend_breakdown from public, anon, authenticated, service_role;
grant execute on function app.spend_breakdown to authenticated;
