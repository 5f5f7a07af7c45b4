-- spend_split(calls, tokens, cost before; calls, tokens, cost now) → what a change of cost is made of, in dollars; adds up to it exactly
--
-- change_calls: more or fewer calls, each at the cost that a call had before. change_tokens: more or fewer tokens per call, at the cost
-- that a token had before. change_price: the rest: other prices, another mix of models or kinds of tokens, corrections, and
-- calls whose cost is not known.
-- Where there were no calls before, all of the change is change_calls. Where there were no tokens, change_tokens is 0.
create or replace function app.spend_split(
    p_calls_before numeric, p_tokens_before numeric, p_cost_before numeric, p_calls numeric, p_tokens numeric, p_cost numeric,
    out change numeric, out change_calls numeric, out change_tokens numeric, out change_price numeric
)
language sql immutable
set search_path = ''
as $$
    select d.change, c.calls, t.tokens, d.change - c.calls - t.tokens
    from (select p_cost - p_cost_before as change) d
    cross join lateral (
        select case when p_calls_before = 0 then d.change else round((p_calls - p_calls_before) * p_cost_before / p_calls_before, 12) end as calls
    ) c
    cross join lateral (
        select case when p_calls_before = 0 or p_tokens_before = 0 then 0
            else round(p_tokens * p_cost_before / p_tokens_before - p_calls * p_cost_before / p_calls_before, 12) end as tokens
    ) t
$$;

comment on function app.spend_split is
    'Splits a change of cost into calls, tokens per call, and price or mix; the parts add up exactly.';
-- Part of spend_report, which runs with the rights of its caller.
revoke execute on function app.spend_split from public, anon, authenticated, service_role;
grant execute on function app.spend_split to authenticated;
