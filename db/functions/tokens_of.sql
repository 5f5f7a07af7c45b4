-- tokens_of(usage) → the token columns of usage_logs, from either shape of OpenAI's usage
--
-- Shapes: prompt_tokens and completion_tokens, or input_tokens and output_tokens. The columns are for display and sums;
-- costs come from price_usage. A count that is missing or malformed is null. In plpgsql, which keeps its plans: in SQL
-- this function took five times as long for each settled call.
create or replace function app.tokens_of(p_usage jsonb)
returns table (
    tokens_in bigint, tokens_out bigint, tokens_cached bigint, tokens_cache_write bigint, tokens_reasoning bigint,
    tokens_audio_in bigint, tokens_audio_out bigint
)
language plpgsql immutable parallel safe rows 1
set search_path = ''
as $$
declare
    v_in jsonb := coalesce(
        p_usage -> 'prompt_tokens_details', p_usage -> 'input_tokens_details', p_usage -> 'input_token_details');
    v_out jsonb := coalesce(
        p_usage -> 'completion_tokens_details', p_usage -> 'output_tokens_details', p_usage -> 'output_token_details');
begin
    tokens_in := app.count_of(coalesce(p_usage -> 'prompt_tokens', p_usage -> 'input_tokens'));
    tokens_out := app.count_of(coalesce(p_usage -> 'completion_tokens', p_usage -> 'output_tokens'));
    tokens_cached := app.count_of(v_in -> 'cached_tokens');
    tokens_cache_write := app.count_of(v_in -> 'cache_write_tokens');
    tokens_reasoning := app.count_of(v_out -> 'reasoning_tokens');
    tokens_audio_in := app.count_of(v_in -> 'audio_tokens');
    tokens_audio_out := app.count_of(v_out -> 'audio_tokens');
    return next;
end $$;

comment on function app.tokens_of is 'Token counts of a usage object of either shape; null where it has none.';
-- No grant: part of settle_calls and fill_call.
revoke execute on function app.tokens_of from public, anon, authenticated, service_role;
