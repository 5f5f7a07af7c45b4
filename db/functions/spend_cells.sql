-- spend_cells(from, to, by, side, filters) → the sums a spend report is made of: of its period, and of the equal period before
--
-- is_now: one cell for each day (or week, where app.spend_bars draws weeks), each value of what p_by names (project, model, key,
-- endpoint, service_tier, status, end_user or tag) and each value of what p_side names (project, model or key). id and side are
-- the two values, '' where a call has none. Not is_now: a single cell for the period before. Of a period that is not over, only
-- the part up to now is compared, with an equal part of the period before.
--
-- By tag, a call with several tags is in the cell of each. Those cells are not `whole`; beside them, whole cells without an id
-- have each call once. So totals add up the whole cells, and the rows of a table the cells that have an id.
create or replace function app.spend_cells(p_from timestamptz, p_to timestamptz, p_by text, p_side text, p_filters jsonb)
returns setof app.spend_cell
language sql stable
set search_path = ''
set timezone = 'UTC'  -- in a session's own time zone, adding a day may add 23 hours
as $$
    select p.is_now, p.whole, s.day,
        case when p.is_now then case p_by when 'project' then s.project_id::text when 'key' then s.key_id::text
            when 'model' then coalesce(s.model, '') when 'endpoint' then s.endpoint when 'service_tier' then coalesce(s.service_tier, '')
            when 'status' then coalesce(s.status::text, '') when 'end_user' then coalesce(s.end_user, '') when 'tag' then s.tag end end,
        case when p.is_now then case p_side when 'project' then s.project_id::text when 'key' then s.key_id::text
            when 'model' then coalesce(s.model, '') end end,
        s.calls, s.tokens_in, s.tokens_cached, s.tokens_out, s.cost, s.unpriced_calls, s.no_usage_calls, s.in_doubt_calls,
        s.error_calls, s.adjustments, s.cost_corrected
    from (select case when p_to - p_from > interval '92 days' then 'week' else 'day' end as unit) u
    cross join lateral (values
        (true, true, p_from, p_to, array[u.unit, p_side] || case when p_by <> 'tag' then array[p_by] else '{}' end),
        (true, false, p_from, case when p_by = 'tag' then p_to else p_from end, array[u.unit, p_side, 'tag']),
        (false, true, p_from - (p_to - p_from), least(p_to, greatest(p_from, now())) - (p_to - p_from), '{}')
    ) as p (is_now, whole, since, until, words)
    cross join lateral app.sums(p.since, p.until, p.words, p_filters) s
    where p.since < p.until and (p.whole or s.tag is not null)
$$;

comment on function app.spend_cells is
    'Sums per day and project, model, key, …, and of the equal period before: what a spend report is made of.';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.spend_cells from public, anon, authenticated, service_role;
grant execute on function app.spend_cells to authenticated;
