-- spend_breakdown(cells, by, side, top) → one row per project, model, key, …, the highest cost first
--
-- p_by: what the ids are: project, key, model, …. p_side: false for the ids of the cells, true for their second value (side).
-- p_top: so many rows; all after them become one row without an id (members: how many), unless it would stand for a single
-- one, which keeps its name. Null: all rows.
-- series: the row's colour in the charts, 1 to 6; 0 for all further rows.
create or replace function app.spend_breakdown(p_cells app.spend_cell[], p_by text, p_side boolean, p_top integer)
returns table (
    series integer, id text, name text, project_id uuid, project text, key_prefix text, members bigint,
    calls bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric,
    unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint, share numeric,
    adjustments numeric, cost_corrected numeric
)
language sql stable
set search_path = ''
as $$
    with summed as (
        select case when p_side then c.side else c.id end as id,
            sum(c.calls) as calls, sum(c.tokens_in) as tokens_in, sum(c.tokens_cached) as tokens_cached,
            sum(c.tokens_out) as tokens_out, sum(c.cost) as cost, sum(c.unpriced_calls) as unpriced_calls,
            sum(c.no_usage_calls) as no_usage_calls, sum(c.in_doubt_calls) as in_doubt_calls, sum(c.error_calls) as error_calls,
            sum(c.adjustments) as adjustments, sum(c.cost_corrected) as cost_corrected
        from unnest(p_cells) c where c.is_now and case when p_side then c.whole else c.id is not null end group by 1
    ), found as (
        select s.*, coalesce(k.name, p.name, s.id) as name, p.id as project_id, p.name as project, k.prefix,
            row_number() over (order by s.cost desc, s.calls desc, coalesce(k.name, p.name, s.id), s.id) as place,
            count(*) over () as many
        from summed s
        left join public.api_keys k on p_by = 'key' and k.id::text = s.id
        left join public.projects p on p.id = k.project_id or (p_by = 'project' and p.id::text = s.id)
    ), folded as (
        select f.*, coalesce(f.place > p_top and f.many > p_top + 1, false) as is_rest from found f
    )
    select case when min(f.place) <= 6 then min(f.place)::integer else 0 end,
        case when not f.is_rest then min(f.id) end, case when not f.is_rest then min(f.name) end,
        case when not f.is_rest then min(f.project_id::text)::uuid end, case when not f.is_rest then min(f.project) end,
        case when not f.is_rest then min(f.prefix) end,
        count(*), sum(f.calls)::bigint, sum(f.tokens_in)::bigint, sum(f.tokens_cached)::bigint, sum(f.tokens_out)::bigint,
        sum(f.cost), sum(f.unpriced_calls)::bigint, sum(f.no_usage_calls)::bigint, sum(f.in_doubt_calls)::bigint,
        sum(f.error_calls)::bigint,
        -- The share of the whole cost, not of the sum of the rows: a call with several tags is in several rows.
        sum(f.cost) / nullif((select sum(c.cost) from unnest(p_cells) c where c.is_now and c.whole), 0),
        sum(f.adjustments), sum(f.cost_corrected)
    from folded f
    group by f.is_rest, case when not f.is_rest then f.place end
    order by min(f.place)
$$;

comment on function app.spend_breakdown is
    'Spend of a period by project, model, key, …, the highest cost first, with the share and colour of each row.';
-- Part of spend_report, which runs with the rights of its caller.
revoke execute on function app.spend_breakdown from public, anon, authenticated, service_role;
grant execute on function app.spend_breakdown to authenticated;
