-- tokens_of(usage) → the token columns of usage_logs, from every shape of OpenAI's usage (see app.usage_counts)
--
-- The columns are for display and sums; costs come from price_usage, which reads the same counts. A count that is
-- missing, malformed or contradictory is null. In plpgsql, which keeps its plans: in SQL this function took five times as
-- long for each settled call.
create or replace function app.tokens_of(p_usage jsonb)
returns table (
    tokens_in bigint, tokens_out bigint, tokens_cached bigint, tokens_cache_write bigint, tokens_reasoning bigint,
    tokens_audio_in bigint, tokens_audio_out bigint
)
language plpgsql immutable parallel safe rows 1
set search_path = ''
as $$
declare
    v_counts record;
begin
    v_counts := app.usage_counts(p_usage);
    tokens_in := app.count_of(v_counts.tokens_in);
    tokens_out := app.count_of(v_counts.tokens_out);
    tokens_cached := app.count_of(v_counts.details_in -> 'cached_tokens');
    tokens_cache_write := app.count_of(v_counts.details_in -> 'cache_write_tokens');
    tokens_reasoning := app.count_of(v_counts.details_out -> 'reasoning_tokens');
    tokens_audio_in := app.count_of(v_counts.details_in -> 'audio_tokens');
    tokens_audio_out := app.count_of(v_counts.details_out -> 'audio_tokens');
    return next;
end $$;

comment on function app.tokens_of is 'Token counts of a usage object of either shape; null where it has none.';
-- No grant: part of settle_calls and fill_call.
revoke execute on function app.tokens_of from public, anon, authenticated, service_role;
