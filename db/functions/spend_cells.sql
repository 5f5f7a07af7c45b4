-- spend_cells(from, to, before from, before to, zone, grain, by, tag name, side, filters) → the sums a spend report is made of
--
-- is_now: the period; not is_now: the one it is compared with, none where p_before_from is null. One cell for each bar (an hour, day,
-- week or month of p_zone, see app.bars; with p_grain null, one for all), each value of what p_by names (project, model, key,
-- person, endpoint, service_tier, status, end_user, tag or kind) and each value of what p_side names (the same words but tag and
-- kind). id and side are the two values, '' where a call has none.
--
-- By tag, without p_tag_name, the ids are names of tags, and a call with several tags is in the cell of each; side is name=value. By
-- kind (what the dollars were paid for), cells have only a cost. Those cells are not `whole`; beside them, whole cells without an
-- id have each call once. So totals add up the whole cells, and the rows of a table the cells that have an id.
create or replace function app.spend_cells(
    p_from timestamptz, p_to timestamptz, p_before_from timestamptz, p_before_to timestamptz, p_zone text, p_grain text,
    p_by text, p_tag_name text, p_side text, p_filters jsonb
) returns setof app.spend_cell
language sql stable
set search_path = ''
set timezone = 'UTC'  -- in a session's own time zone, adding a day may add 23 hours
as $$
    select p.is_now, p.whole, s.bar,
        case when n.overlap then split_part(s.tag, '=', 1) else case p_by when 'project' then s.project_id::text
            when 'key' then s.key_id::text when 'model' then coalesce(s.model, '') when 'person' then coalesce(s.person_id::text, '')
            when 'endpoint' then s.endpoint when 'service_tier' then coalesce(s.service_tier, '')
            when 'status' then coalesce(s.status::text, '') when 'end_user' then coalesce(s.end_user, '')
            when 'tag' then case when p_tag_name is not null then coalesce(s.tag, '') end end end,
        case when n.overlap then s.tag else case p_side when 'project' then s.project_id::text
            when 'key' then s.key_id::text when 'model' then coalesce(s.model, '') when 'person' then coalesce(s.person_id::text, '')
            when 'endpoint' then s.endpoint when 'service_tier' then coalesce(s.service_tier, '')
            when 'status' then coalesce(s.status::text, '') when 'end_user' then coalesce(s.end_user, '') end end,
        s.calls, s.tokens_in, s.tokens_cached, s.tokens_out, s.cost, s.unpriced_calls, s.no_usage_calls, s.in_doubt_calls,
        s.error_calls, s.adjustments, s.cost_corrected
    from (values (true, p_from, p_to), (false, p_before_from, p_before_to)) as d (is_now, since, until)
    cross join lateral (values
        (d.is_now, true, array[p_grain, p_side] || case when p_by = 'tag' and p_tag_name is null or p_by = 'kind' then '{}'
            else array[p_by] end),
        (d.is_now, false, case when p_by = 'tag' and p_tag_name is null then array[p_grain, 'tag'] end)
    ) as p (is_now, whole, words)
    cross join lateral (select not p.whole as overlap) n
    cross join lateral app.sums(d.since, d.until, array_remove(p.words, null), p_filters, p_zone, p_tag_name, null) s
    where d.since < d.until and p.words is not null and (p.whole or s.tag is not null)
    union all
    select d.is_now, false, k.bar, k.kind, null, null, null, null, null, k.cost, null, null, null, null, null, null
    from (values (true, p_from, p_to), (false, p_before_from, p_before_to)) as d (is_now, since, until)
    cross join lateral app.spend_kinds(d.since, d.until, p_zone, p_grain, p_filters) k
    where p_by = 'kind' and d.since < d.until
$$;

comment on function app.spend_cells is
    'Sums per bar and project, model, key, …, of a period and of the one it is compared with: what a spend report is made of.';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.spend_cells from public, anon, authenticated, service_role;
grant execute on function app.spend_cells to authenticated;
