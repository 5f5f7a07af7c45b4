-- terms_question_of(...) → what decides a call's price terms, apart from the moment: calls with equal questions have equal terms
--
-- others: see price_others. with_extras, input_limit: see price_sheet. service_tier: as the answer has it. Calls of up to 100,000
-- input tokens share their terms, which then lack the prices of longer contexts. Parameters: as in usage_logs.
create or replace function app.terms_question_of(
    p_org_id uuid, p_endpoint text, p_model text, p_model_requested text, p_service_tier text, p_batch boolean,
    p_usage jsonb, p_tools jsonb
) returns app.terms_question
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_in jsonb := coalesce(p_usage -> 'input_tokens', p_usage -> 'prompt_tokens');
begin
    return row(
        p_org_id, p_endpoint, p_model, p_model_requested, p_usage ->> 'size',
        case when p_usage ?| array['tool_usage', 'image_model', 'svg_usage'] then app.price_others(p_usage) end,
        p_service_tier, p_batch,
        p_tools is not null or coalesce(p_usage ?| array['region', 'completion_window'], false),
        case when v_in between '0' and '100000' and not p_usage ?& array['input_tokens', 'prompt_tokens'] then 100000 end);
end $$;

comment on function app.terms_question_of is 'What decides the price terms of a call, apart from the moment.';
-- Granted for price_usage, which runs with the rights of its caller.
revoke execute on function app.terms_question_of from public, anon, authenticated, service_role;
grant execute on function app.terms_question_of to authenticated;
