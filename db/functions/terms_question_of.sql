-- terms_question_of(call) → what decides its price terms, apart from the moment: calls with equal questions have equal terms
--
-- others: see price_others. with_extras, input_limit: see price_sheet. service_tier: as the answer has it. Calls of up to 100,000
-- input tokens share their terms, which then lack the prices of longer contexts.
create or replace function app.terms_question_of(p_call app.settlement) returns app.terms_question
language plpgsql immutable
set search_path = ''
as $$
declare
    v_in jsonb := coalesce(p_call.usage -> 'input_tokens', p_call.usage -> 'prompt_tokens');
begin
    return row(
        p_call.org_id, p_call.endpoint, p_call.model, p_call.model_requested, p_call.usage ->> 'size',
        case when p_call.usage ?| array['tool_usage', 'image_model', 'svg_usage'] then app.price_others(p_call.usage) end,
        p_call.service_tier, p_call.batch,
        p_call.tools is not null or coalesce(p_call.usage ?| array['region', 'completion_window'], false),
        case when v_in between '0' and '100000' and not p_call.usage ?& array['input_tokens', 'prompt_tokens'] then 100000 end);
end $$;

comment on function app.terms_question_of is 'What decides the price terms of a call, apart from the moment.';
-- No grant: part of settle_alone and price_calls.
revoke execute on function app.terms_question_of from public, anon, authenticated, service_role;
