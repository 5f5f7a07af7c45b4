-- spend_cells(from, to, by, side, filters) → the sums a report is made of, from one pass over its period and the one before
--
-- One cell per day, p_by and p_side (project, model, key, endpoint, service_tier, status, end_user; p_by also tag); id and side
-- are the words of both, '' where a call has none. The period before (is_now false) has a single cell; a period that is
-- still running is compared with the same part of it. By tag, a call with several counts in the cell of each: those are not
-- whole, and one without an id holds the call itself. So totals add up the whole cells, and rows those that have an id.
create or replace function app.spend_cells(p_from timestamptz, p_to timestamptz, p_by text, p_side text, p_filters jsonb)
returns setof app.spend_cell
language sql stable
set search_path = ''
set plan_cache_mode = force_custom_plan  -- as in app.usage
set enable_sort = off  -- the planner expects few rows here and would sort them all instead of hashing
as $$
    with counted as (
        select n.is_now,
            case when n.is_now then (e.at at time zone 'utc')::date end as day,
            case when n.is_now and 'project' in (p_by, p_side) then e.project_id end as project_id,
            case when n.is_now and 'key' in (p_by, p_side) then e.api_key_id end as key_id,
            case when n.is_now and 'model' in (p_by, p_side) then e.model end as model,
            case when n.is_now then case p_by when 'endpoint' then e.endpoint when 'service_tier' then e.service_tier
                when 'status' then e.status_code::text when 'end_user' then e.end_user end end as word,
            case when n.is_now and p_by = 'tag' then e.tags end as tags,
            sum(e.calls) as calls, coalesce(sum(e.tokens_in), 0)::bigint as tokens_in,
            coalesce(sum(e.tokens_cached), 0)::bigint as tokens_cached, coalesce(sum(e.tokens_out), 0)::bigint as tokens_out,
            coalesce(sum(e.cost), 0) as cost, coalesce(sum(e.unpriced_calls), 0) as unpriced_calls,
            coalesce(sum(e.no_usage_calls), 0) as no_usage_calls, coalesce(sum(e.in_doubt_calls), 0) as in_doubt_calls,
            coalesce(sum(e.error_calls), 0) as error_calls, coalesce(sum(e.adjustments), 0) as adjustments,
            coalesce(sum(e.cost_corrected), 0) as cost_corrected
        from app.entries_matching(p_from - (p_to - p_from), p_to, p_filters) e
        cross join lateral (values (e.at >= p_from)) as n (is_now)
        where e.at >= p_from or e.at < least(p_to, greatest(p_from, now())) - (p_to - p_from)
        group by 1, 2, 3, 4, 5, 6, 7
    )
    select c.is_now, i.whole, c.day, i.id,
        case p_side when 'project' then c.project_id::text when 'key' then c.key_id::text when 'model' then coalesce(c.model, '') end,
        c.calls, c.tokens_in, c.tokens_cached, c.tokens_out, c.cost, c.unpriced_calls, c.no_usage_calls, c.in_doubt_calls,
        c.error_calls, c.adjustments, c.cost_corrected
    from counted c
    cross join lateral (
        select true as whole, case p_by when 'project' then c.project_id::text when 'key' then c.key_id::text
            when 'model' then coalesce(c.model, '') when 'tag' then null else coalesce(c.word, '') end as id
        union all
        select false, t.key || '=' || t.value from jsonb_each_text(c.tags) t
    ) i
$$;

comment on function app.spend_cells is 'Sums per day and per one or two words, and of the equal period before: what a report is made of.';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.spend_cells from public, anon, authenticated, service_role;
grant execute on function app.spend_cells to authenticated;
