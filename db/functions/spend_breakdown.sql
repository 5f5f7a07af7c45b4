-- spend_breakdown(cells, by, side, top, compared) → one row per project, model, key, …, the highest cost first
--
-- p_by: what the ids are: project, key, model, person, …. p_side: false for the ids of the cells, true for their second value (side).
-- p_top: so many rows; all after them become one row without an id (members: how many), unless it would stand for a single
-- one, which keeps its name. Null: all rows. What there was only before is a row too, with a cost of 0.
-- series: the row's colour in the charts, 1 to 6; 0 for all further rows. tag_values: of a tag's name, how many values there were.
-- By kind there are only costs. change: dollars more than before, and what that is made of; see app.spend_split;
-- null unless p_compared: whether there is a period to compare with.
-- unknown_before: calls of that period that are in no sum of its cost.
create or replace function app.spend_breakdown(p_cells app.spend_cell[], p_by text, p_side boolean, p_top integer, p_compared boolean)
returns table (
    series integer, id text, name text, project_id uuid, project text, key_prefix text, members bigint, tag_values bigint,
    calls bigint, tokens bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric,
    unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint, share numeric,
    adjustments numeric, cost_corrected numeric,
    calls_before bigint, tokens_before bigint, cost_before numeric,
    change numeric, change_calls numeric, change_tokens numeric, change_price numeric, unknown_before bigint
)
language sql stable
set search_path = ''
as $$
    with summed as (
        select case when p_side then c.side else c.id end as id,
            coalesce(sum(c.calls) filter (where c.is_now), 0) as calls, coalesce(sum(c.tokens_in) filter (where c.is_now), 0) as tokens_in,
            coalesce(sum(c.tokens_cached) filter (where c.is_now), 0) as tokens_cached,
            coalesce(sum(c.tokens_out) filter (where c.is_now), 0) as tokens_out, coalesce(sum(c.cost) filter (where c.is_now), 0) as cost,
            coalesce(sum(c.unpriced_calls) filter (where c.is_now), 0) as unpriced_calls,
            coalesce(sum(c.no_usage_calls) filter (where c.is_now), 0) as no_usage_calls,
            coalesce(sum(c.in_doubt_calls) filter (where c.is_now), 0) as in_doubt_calls,
            coalesce(sum(c.error_calls) filter (where c.is_now), 0) as error_calls,
            coalesce(sum(c.adjustments) filter (where c.is_now), 0) as adjustments,
            coalesce(sum(c.cost_corrected) filter (where c.is_now), 0) as cost_corrected,
            coalesce(sum(c.calls) filter (where not c.is_now), 0) as calls_before,
            coalesce(sum(c.tokens_in + c.tokens_out) filter (where not c.is_now), 0) as tokens_before,
            coalesce(sum(c.cost) filter (where not c.is_now), 0) as cost_before,
            coalesce(sum(c.unpriced_calls + c.no_usage_calls + c.in_doubt_calls) filter (where not c.is_now), 0) as unknown_before,
            count(distinct c.side) filter (where c.is_now and not c.whole and p_by = 'tag') as tag_values
        from unnest(p_cells) c where case when p_side then c.whole else c.id is not null end group by 1
    ), found as (
        select s.*, coalesce(k.name, p.name, m.email, s.id) as name, p.id as project_id, p.name as project, k.prefix,
            row_number() over (order by s.cost desc, s.cost_before desc, s.calls desc, coalesce(k.name, p.name, m.email, s.id), s.id) as place,
            count(*) over () as many
        from summed s
        left join public.api_keys k on p_by = 'key' and k.id::text = s.id
        left join public.projects p on p.id = k.project_id or (p_by = 'project' and p.id::text = s.id)
        left join public.members m on p_by = 'person' and m.user_id::text = s.id
    ), folded as (
        select f.*, coalesce(f.place > p_top and f.many > p_top + 1, false) as is_rest from found f
    ), added as (
        select case when min(f.place) <= 6 then min(f.place)::integer else 0 end as series, min(f.place) as place,
            case when not f.is_rest then min(f.id) end as id, case when not f.is_rest then min(f.name) end as name,
            case when not f.is_rest then min(f.project_id::text)::uuid end as project_id,
            case when not f.is_rest then min(f.project) end as project, case when not f.is_rest then min(f.prefix) end as prefix,
            count(*) as members, sum(f.tag_values)::bigint as tag_values, sum(f.calls)::bigint as calls,
            sum(f.tokens_in)::bigint as tokens_in, sum(f.tokens_cached)::bigint as tokens_cached, sum(f.tokens_out)::bigint as tokens_out,
            sum(f.cost) as cost, sum(f.unpriced_calls)::bigint as unpriced_calls, sum(f.no_usage_calls)::bigint as no_usage_calls,
            sum(f.in_doubt_calls)::bigint as in_doubt_calls, sum(f.error_calls)::bigint as error_calls,
            sum(f.adjustments) as adjustments, sum(f.cost_corrected) as cost_corrected, sum(f.calls_before)::bigint as calls_before,
            sum(f.tokens_before)::bigint as tokens_before, sum(f.cost_before) as cost_before,
            sum(f.unknown_before)::bigint as unknown_before
        from folded f
        group by f.is_rest, case when not f.is_rest then f.place end
    )
    select a.series, a.id, a.name, a.project_id, a.project, a.prefix, a.members, case when p_by = 'tag' then a.tag_values end,
        case when c.counted then a.calls end, case when c.counted then a.tokens_in + a.tokens_out end, case when c.counted then a.tokens_in end,
        case when c.counted then a.tokens_cached end, case when c.counted then a.tokens_out end, a.cost,
        a.unpriced_calls, a.no_usage_calls, a.in_doubt_calls, a.error_calls,
        -- The share of the whole cost, not of the sum of the rows: a call with several tags is in several rows.
        a.cost / nullif((select sum(c.cost) from unnest(p_cells) c where c.is_now and c.whole), 0),
        a.adjustments, a.cost_corrected,
        case when p_compared and c.counted then a.calls_before end, case when p_compared and c.counted then a.tokens_before end,
        case when p_compared then a.cost_before end,
        s.change, case when c.counted then s.change_calls end, case when c.counted then s.change_tokens end,
        case when c.counted then s.change_price end, case when p_compared and c.counted then a.unknown_before end
    from added a
    cross join (select p_by <> 'kind' as counted) c
    left join lateral app.spend_split(a.calls_before, a.tokens_before, a.cost_before, a.calls, a.tokens_in + a.tokens_out, a.cost) s
        on p_compared
    order by a.place
$$;

comment on function app.spend_breakdown is
    'Spend of a period by project, model, key, …, the highest cost first, with share, colour and change of each row.';
-- Part of spend_report, which runs with the rights of its caller.
revoke execute on function app.spend_breakdown from public, anon, authenticated, service_role;
grant execute on function app.spend_breakdown to authenticated;
