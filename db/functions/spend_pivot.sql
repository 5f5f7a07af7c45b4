-- spend_pivot(from, to, zone, by, and, filters, top, tag name) → a table of two groupings at once: its cells and its totals
--
-- p_by: what the rows are (tag only with p_tag_name); p_and: the columns; the words of app.spend_cells, but kind. The p_top dearest rows
-- and columns stand for themselves, all others are one together, with id null (members: how many); a single other one keeps its
-- name. row_place and column_place: 1, 2, …, the dearest first; 0 in the totals. The cells of a row or column add up to its total, the
-- totals to the one of all. A pair without calls has no cell.
create or replace function app.spend_pivot(
    p_from timestamptz, p_to timestamptz, p_zone text, p_by text, p_and text, p_filters jsonb, p_top integer, p_tag_name text default null
) returns table (
    row_place integer, column_place integer, row_id text, row_name text, row_members bigint, column_id text, column_name text,
    column_members bigint, calls bigint, tokens bigint, cost numeric, unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint
)
language plpgsql stable
set search_path = ''
as $$
declare
    v_cells app.spend_cell[] := array(select c from app.spend_cells(
        p_from, p_to, null, null, p_zone, null, p_by, p_tag_name, p_and, p_filters) c);
begin
    return query
    with rows as (
        select b.ordinality::integer as place, b.id, b.name, b.members
        from app.spend_breakdown(v_cells, p_by, false, p_top, false) with ordinality b
    ), columns as (
        select b.ordinality::integer as place, b.id, b.name, b.members
        from app.spend_breakdown(v_cells, p_and, true, p_top, false) with ordinality b
    ), placed as (
        select c.*, coalesce(r.place, (select rest.place from rows rest where rest.id is null)) as r,
            coalesce(k.place, (select rest.place from columns rest where rest.id is null)) as k
        from unnest(v_cells) c left join rows r on r.id = c.id left join columns k on k.id = c.side
        where c.whole
    ), summed as (
        select coalesce(p.r, 0) as r, coalesce(p.k, 0) as k, sum(p.calls)::bigint as calls,
            sum(p.tokens_in + p.tokens_out)::bigint as tokens, sum(p.cost) as cost, sum(p.unpriced_calls)::bigint as unpriced_calls,
            sum(p.no_usage_calls)::bigint as no_usage_calls, sum(p.in_doubt_calls)::bigint as in_doubt_calls
        from placed p group by cube (p.r, p.k)
    )
    select s.r, s.k, r.id, r.name, r.members, k.id, k.name, k.members,
        s.calls, s.tokens, s.cost, s.unpriced_calls, s.no_usage_calls, s.in_doubt_calls
    from summed s left join rows r on r.place = s.r left join columns k on k.place = s.k
    where s.calls is not null
    order by s.r, s.k;
end $$;

comment on function app.spend_pivot is
    'Spend of a period by two groupings at once, with the totals of rows and columns.';
revoke execute on function app.spend_pivot from public, anon, authenticated, service_role;
grant execute on function app.spend_pivot to authenticated;
