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
    q app.terms_question;
    v_price app.priced_call;
begin
    q := app.terms_question_of(p_org_id, p_endpoint, p_model, p_model_requested, p_service_tier, p_batch, p_usage, p_tools);
    v_price := app.price_call(p_endpoint, p_usage, p_tools, coalesce(p_model, p_model_requested) is not null,
        app.price_terms(q.org_id, q.endpoint, q.model, q.model_requested, q.size, q.others,
            app.price_tier_of(q.service_tier, q.batch), q.with_extras, q.input_limit, coalesce(p_at, now())));
    cost := v_price.cost;
    cost_status := v_price.cost_status;
    cost_lines := v_price.cost_lines;
    return next;
end $$;

comment on function app.price_usage is
    'Cost of one call in dollars at the prices in force when it arrived, its cost status (priced, free, tier_fallback, '
    'unpriced_model, unpriced_dimension, no_usage) and its lines.';
revoke execute on function app.price_usage from public, anon, authenticated, service_role;
grant execute on function app.price_usage to authenticated;
