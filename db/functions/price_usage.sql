-- price_usage(...) → cost of one call in dollars at the prices in force when it arrived, its cost status, and its lines
--
-- Every cost that is computed from usage comes from this function or from price_calls, its form for many calls. Parameters:
-- as in usage_logs; p_at: when the call arrived, null for now.
create or replace function app.price_usage(
    p_org_id uuid, p_endpoint text, p_model text, p_model_requested text, p_service_tier text, p_batch boolean,
    p_usage jsonb, p_tools jsonb, p_at timestamptz
) returns table (cost numeric, cost_status text, cost_lines jsonb)
language plpgsql stable parallel safe rows 1
set search_path = ''
as $$
declare
    v_call record;
begin
    v_call := app.price_call(p_endpoint, p_usage, p_tools, coalesce(p_model, p_model_requested) is not null,
        app.price_terms(p_org_id, p_endpoint, p_model, p_model_requested, p_usage ->> 'size',
            app.price_others(p_usage), app.price_tier_of(p_service_tier, p_batch),
            p_tools is not null or coalesce(p_usage ?| array['region', 'completion_window'], false),
            case when least(p_usage -> 'input_tokens', p_usage -> 'prompt_tokens') >= '0'
                and greatest(p_usage -> 'input_tokens', p_usage -> 'prompt_tokens') <= '100000' then 100000 end,
            coalesce(p_at, now())));
    cost := v_call.cost;
    cost_status := v_call.cost_status;
    cost_lines := v_call.cost_lines;
    return next;
end $$;

comment on function app.price_usage is
    'Cost of one call in dollars at the prices in force when it arrived, its cost status (priced, free, tier_fallback, '
    'unpriced_model, unpriced_dimension, no_usage) and its lines.';
revoke execute on function app.price_usage from public, anon, authenticated, service_role;
grant execute on function app.price_usage to authenticated;
