-- usage_counts(usage) → input tokens, output tokens and the details of both, as JSON, whichever names OpenAI gave them
--
-- The one place that knows the names: costs (price_quantities) and the token columns (tokens_of) both read its result.
-- Names: prompt_/completion_ and input_/output_tokens, with details in the singular and the plural; the image tool
-- reports its cached tokens beside the details instead of in them. A count is as OpenAI sent it, which may be no count
-- at all; null when absent. A missing half is the total less the other half, unless nothing is left of the total.
create or replace function app.usage_counts(
    p_usage jsonb, out tokens_in jsonb, out tokens_out jsonb, out details_in jsonb, out details_out jsonb
)
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    u jsonb := coalesce(jsonb_strip_nulls(nullif(p_usage, 'null')), '{}');  -- a null count and an absent one mean the same
    v_total numeric;
    v_rest numeric;
begin
    tokens_in := coalesce(u -> 'input_tokens', u -> 'prompt_tokens');
    tokens_out := coalesce(u -> 'output_tokens', u -> 'completion_tokens');
    details_in := coalesce(u -> 'input_tokens_details', u -> 'prompt_tokens_details', u -> 'input_token_details', '{}');
    details_out := coalesce(u -> 'output_tokens_details', u -> 'completion_tokens_details', u -> 'output_token_details', '{}');
    if u ?| array['prompt_tokens', 'completion_tokens', 'prompt_tokens_details', 'completion_tokens_details']
       and u ?| array['input_tokens', 'output_tokens', 'input_tokens_details', 'output_tokens_details',
                      'input_token_details', 'output_token_details'] then
        tokens_in := app.usage_pick(tokens_in, u -> 'prompt_tokens');
        tokens_out := app.usage_pick(tokens_out, u -> 'completion_tokens');
        details_in := app.usage_pick(details_in, u -> 'prompt_tokens_details');
        details_out := app.usage_pick(details_out, u -> 'completion_tokens_details');
    end if;
    if u ?| array['input_token_details', 'output_token_details', 'cached_tokens', 'cached_tokens_details'] then
        details_in := app.usage_pick(details_in, u -> 'input_token_details');
        details_out := app.usage_pick(details_out, u -> 'output_token_details');
        details_in := app.usage_pick(details_in, jsonb_strip_nulls(jsonb_build_object(
            'cached_tokens', u -> 'cached_tokens', 'cached_tokens_details', u -> 'cached_tokens_details')));
    end if;
    if jsonb_typeof(details_in) = 'object'
       and details_in ?| array['cached_tokens_details', 'cache_write_tokens_details'] then
        details_in := app.usage_cache(details_in);
    end if;
    if tokens_in is null or tokens_out is null then
        v_total := app.price_count(u -> 'total_tokens');
        v_rest := v_total - app.price_count(coalesce(tokens_in, tokens_out));
        if v_rest > 0 or (v_rest = 0 and tokens_in is null) then  -- NaN is above 0, and stays no count
            tokens_in := coalesce(tokens_in, to_jsonb(v_rest));
            tokens_out := coalesce(tokens_out, to_jsonb(v_rest));
        end if;
    end if;
end $$;

comment on function app.usage_counts is
    'Token counts of a usage object and their details under one name each, whatever OpenAI called them.';
revoke execute on function app.usage_counts from public, anon, authenticated, service_role;
grant execute on function app.usage_counts to authenticated;
