-- label_page(by, name, from, to, before from, before to, search, sort, offset, limit) → one page of end users or tags, with their spend
--
-- p_by: end_user; tag_name for the names of tags, with how many values each has; or tag for the values of the tag p_name. A row
-- with the label '' is of the calls without: with it end users, and the values of one tag, add up to all calls. Names do not,
-- since a call may have several tags: a name's row is of the calls that have this tag.
-- p_before_from and p_before_to: the period it is compared with; null: not compared. p_search: part of the label. p_sort: label,
-- label_values, calls, cost, change or last_day, each also with a minus for falling; '' for the dearest first. p_limit: null for all.
-- unknown_calls, unknown_before: calls whose cost is not known. last_day: the last day of the period (UTC) with a call. all_…: of all
-- rows that fit.
create or replace function app.label_page(
    p_by text, p_name text, p_from timestamptz, p_to timestamptz, p_before_from timestamptz, p_before_to timestamptz,
    p_search text, p_sort text, p_offset integer, p_limit integer
) returns table (
    label text, label_values bigint, calls bigint, unknown_calls bigint, cost numeric, cost_before numeric, unknown_before bigint,
    change numeric, last_day date,
    all_labels bigint, all_calls bigint, all_unknown bigint, all_cost numeric, all_before numeric,
    all_unknown_before bigint, all_change numeric
)
language sql stable
set search_path = ''
as $$
    with words as (
        select case p_by when 'end_user' then 'end_user' else 'tag' end as word, case p_by when 'tag' then p_name end as name
    ), cell as (
        select n.end_user, n.tag, n.day, n.calls, n.unpriced_calls + n.no_usage_calls + n.in_doubt_calls as unknown, n.cost,
            0::numeric as before, 0::bigint as unknown_before
        from words w cross join lateral app.sums(p_from, p_to, array['day', w.word], '{}', 'UTC', w.name,
            '{calls,cost,unpriced_calls,no_usage_calls,in_doubt_calls}') n
        union all
        select n.end_user, n.tag, null, 0, 0, 0, n.cost, n.unpriced_calls + n.no_usage_calls + n.in_doubt_calls
        from words w cross join lateral app.sums(p_before_from, p_before_to, array[w.word], '{}', 'UTC', w.name,
            '{calls,cost,unpriced_calls,no_usage_calls,in_doubt_calls}') n
        where p_before_from is not null
    ), label as (
        select l.label, count(distinct c.tag) filter (where c.calls <> 0) as label_values, sum(c.calls)::bigint as calls,
            sum(c.unknown)::bigint as unknown, sum(c.cost) as cost, sum(c.before) as before,
            sum(c.unknown_before)::bigint as unknown_before, max(c.day) filter (where c.calls > 0) as last_day
        from cell c
        cross join lateral (select case p_by when 'end_user' then coalesce(c.end_user, '')
            when 'tag_name' then split_part(c.tag, '=', 1) else coalesce(c.tag, '') end as label) l
        where l.label is not null
        group by l.label
    ), fitting as (
        select l.*, case when p_before_from is not null then l.before end as cost_before,
            case ltrim(p_sort, '-') when 'label_values' then l.label_values when 'calls' then l.calls when 'cost' then l.cost
                when 'change' then l.cost - l.before when 'last_day' then l.last_day - date '2000-01-01' end as amount,
            count(*) over () as all_labels, sum(l.calls) over () as all_calls, sum(l.unknown) over () as all_unknown,
            sum(l.cost) over () as all_cost, sum(l.before) over () as all_before,
            sum(l.unknown_before) over () as all_unknown_before
        from label l
        where p_search = '' or strpos(lower(l.label), lower(p_search)) > 0
    )
    select f.label, f.label_values, f.calls, f.unknown, f.cost, f.cost_before,
        case when p_before_from is not null then f.unknown_before end, f.cost - f.cost_before, f.last_day,
        f.all_labels, f.all_calls::bigint, f.all_unknown::bigint, f.all_cost, case when p_before_from is not null then f.all_before end,
        case when p_before_from is not null then f.all_unknown_before end::bigint,
        case when p_before_from is not null then f.all_cost - f.all_before end
    from fitting f
    order by case when p_sort = '-label' then lower(f.label) end desc, case when p_sort = 'label' then lower(f.label) end,
        case when p_sort like '-%' then f.amount end desc nulls last, case when p_sort not like '-%' then f.amount end,
        f.cost desc, f.calls desc, f.label
    offset p_offset limit p_limit
$$;

comment on function app.label_page is 'A page of the end users, the names of tags or the values of one tag with their spend: searched, sorted.';
revoke execute on function app.label_page from public, anon, authenticated, service_role;
grant execute on function app.label_page to authenticated;
