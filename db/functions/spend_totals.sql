-- spend_totals(from, to, filters) → the sums of a period, and of the equal period before it
--
-- A period that is still running is compared with the same part of the one before: half a day with half a day.
-- Changes are ratios (0.12: 12 % more), null where there is nothing to compare with.
create or replace function app.spend_totals(p_from timestamptz, p_to timestamptz, p_filters jsonb)
returns table (
    calls bigint, tokens bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric,
    unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint,
    cached_share numeric, error_share numeric, cost_per_1000 numeric,
    calls_change numeric, tokens_change numeric, cost_change numeric, cost_per_1000_change numeric, error_share_before numeric,
    adjustments numeric, cost_corrected numeric
)
language sql stable
set search_path = ''
set timezone = 'UTC'
as $$
    with sums as (
        select p.is_now,
            coalesce(u.calls, 0) as calls, coalesce(u.tokens_in + u.tokens_out, 0) as tokens,
            coalesce(u.tokens_in, 0) as tokens_in, coalesce(u.tokens_cached, 0) as tokens_cached,
            coalesce(u.tokens_out, 0) as tokens_out, coalesce(u.cost, 0) as cost,
            coalesce(u.unpriced_calls, 0) as unpriced_calls, coalesce(u.no_usage_calls, 0) as no_usage_calls,
            coalesce(u.in_doubt_calls, 0) as in_doubt_calls, coalesce(u.error_calls, 0) as error_calls,
            coalesce(u.adjustments, 0) as adjustments, coalesce(u.cost_corrected, 0) as cost_corrected,
            -- Of the calls themselves: corrections of earlier ones would distort it.
            (u.cost - u.adjustments) * 1000 / nullif(u.calls, 0) as cost_per_1000,
            u.error_calls::numeric / nullif(u.calls, 0) as error_share
        from (values (true, p_from, p_to), (false, p_from - (p_to - p_from),
                      least(p_to, greatest(p_from, now())) - (p_to - p_from))) as p (is_now, since, until)
        left join lateral app.usage(p.since, p.until, '{}', p_filters) u on true
    )
    select n.calls, n.tokens, n.tokens_in, n.tokens_cached, n.tokens_out, n.cost,
        n.unpriced_calls, n.no_usage_calls, n.in_doubt_calls, n.error_calls,
        n.tokens_cached::numeric / nullif(n.tokens_in, 0), n.error_share, n.cost_per_1000,
        n.calls::numeric / nullif(b.calls, 0) - 1, n.tokens::numeric / nullif(b.tokens, 0) - 1,
        n.cost / nullif(b.cost, 0) - 1, n.cost_per_1000 / nullif(b.cost_per_1000, 0) - 1, b.error_share,
        n.adjustments, n.cost_corrected
    from sums n join sums b on n.is_now and not b.is_now
$$;

comment on function app.spend_totals is 'Sums of a period and how they changed against the equal period before; always one row.';
revoke execute on function app.spend_totals from public, anon, authenticated, service_role;
grant execute on function app.spend_totals to authenticated;
