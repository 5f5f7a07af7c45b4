-- spend_totals(cells, compared) → the sums of a period, and how they changed against the period they are compared with; always one row
--
-- Changes and shares are ratios (0.12: 12 % more), null where there is nothing to compare with. cost_per_1000: US dollars per
-- 1,000 calls whose cost is known. change: dollars more than before, and what that is made of; see app.spend_split. unknown_before: calls of the other
-- period that are in no sum of its cost. p_compared: whether there is a period to compare with; else everything about it is null.
create or replace function app.spend_totals(p_cells app.spend_cell[], p_compared boolean)
returns table (
    calls bigint, tokens bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric,
    unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint,
    cached_share numeric, error_share numeric, cost_per_1000 numeric,
    calls_change numeric, tokens_change numeric, cost_change numeric, cost_per_1000_change numeric, error_share_before numeric,
    adjustments numeric, cost_corrected numeric,
    calls_before bigint, tokens_before bigint, cost_before numeric, cost_per_1000_before numeric,
    change numeric, change_calls numeric, change_tokens numeric, change_price numeric, unknown_before bigint
)
language sql stable
set search_path = ''
as $$
    with sums as (
        select p.is_now, coalesce(sum(c.calls), 0)::bigint as calls,
            coalesce(sum(c.tokens_in + c.tokens_out), 0)::bigint as tokens, coalesce(sum(c.tokens_in), 0)::bigint as tokens_in,
            coalesce(sum(c.tokens_cached), 0)::bigint as tokens_cached, coalesce(sum(c.tokens_out), 0)::bigint as tokens_out,
            coalesce(sum(c.cost), 0) as cost, coalesce(sum(c.unpriced_calls), 0)::bigint as unpriced_calls,
            coalesce(sum(c.no_usage_calls), 0)::bigint as no_usage_calls,
            coalesce(sum(c.in_doubt_calls), 0)::bigint as in_doubt_calls, coalesce(sum(c.error_calls), 0)::bigint as error_calls,
            coalesce(sum(c.adjustments), 0) as adjustments, coalesce(sum(c.cost_corrected), 0) as cost_corrected,
            -- Without the corrections booked in the period: they may be for calls of earlier periods.
            (sum(c.cost) - sum(c.adjustments)) * 1000
                / nullif(sum(c.calls - c.unpriced_calls - c.no_usage_calls - c.in_doubt_calls), 0) as cost_per_1000,
            sum(c.error_calls) / nullif(sum(c.calls), 0) as error_share
        from (values (true), (false)) as p (is_now) left join unnest(p_cells) c on c.is_now = p.is_now and c.whole
        group by 1
    )
    select n.calls, n.tokens, n.tokens_in, n.tokens_cached, n.tokens_out, n.cost,
        n.unpriced_calls, n.no_usage_calls, n.in_doubt_calls, n.error_calls,
        n.tokens_cached::numeric / nullif(n.tokens_in, 0), n.error_share, n.cost_per_1000,
        n.calls::numeric / nullif(b.calls, 0) - 1, n.tokens::numeric / nullif(b.tokens, 0) - 1,
        n.cost / nullif(b.cost, 0) - 1, n.cost_per_1000 / nullif(b.cost_per_1000, 0) - 1, b.error_share,
        n.adjustments, n.cost_corrected,
        case when p_compared then b.calls end, case when p_compared then b.tokens end, case when p_compared then b.cost end,
        b.cost_per_1000, s.change, s.change_calls, s.change_tokens, s.change_price,
        case when p_compared then b.unpriced_calls + b.no_usage_calls + b.in_doubt_calls end
    from sums n join sums b on n.is_now and not b.is_now
    left join lateral app.spend_split(b.calls, b.tokens, b.cost, n.calls, n.tokens, n.cost) s on p_compared
$$;

comment on function app.spend_totals is 'Sums of a period and how they changed against the one they are compared with.';
-- Part of spend_report, which runs with the rights of its caller.
revoke execute on function app.spend_totals from public, anon, authenticated, service_role;
grant execute on function app.spend_totals to authenticated;
