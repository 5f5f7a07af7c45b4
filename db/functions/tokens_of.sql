-- tokens_of(usage) → the token columns of usage_logs, from either shape of OpenAI's usage object
--
-- Only for showing and adding up; money comes from price_usage. What is not a sensible count is null.
create or replace function app.tokens_of(p_usage jsonb)
returns table (
    tokens_in bigint, tokens_out bigint, tokens_cached bigint, tokens_cache_write bigint, tokens_reasoning bigint,
    tokens_audio_in bigint, tokens_audio_out bigint
)
language sql immutable
set search_path = ''
as $$
    select app.count_of(coalesce(p_usage -> 'prompt_tokens', p_usage -> 'input_tokens')),
           app.count_of(coalesce(p_usage -> 'completion_tokens', p_usage -> 'output_tokens')),
           app.count_of(i.details -> 'cached_tokens'),
           app.count_of(i.details -> 'cache_write_tokens'),
           app.count_of(o.details -> 'reasoning_tokens'),
           app.count_of(i.details -> 'audio_tokens'),
           app.count_of(o.details -> 'audio_tokens')
    from (select coalesce(p_usage -> 'prompt_tokens_details', p_usage -> 'input_tokens_details',
                          p_usage -> 'input_token_details') as details) i,
         (select coalesce(p_usage -> 'completion_tokens_details', p_usage -> 'output_tokens_details',
                          p_usage -> 'output_token_details') as details) o
$$;

comment on function app.tokens_of is 'Token counts of a usage object, chat or responses shape; null where it has none.';
-- No grant: part of settle_calls.
revoke execute on function app.tokens_of from public, anon, authenticated, service_role;
