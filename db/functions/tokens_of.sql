-- tokens_of(usage) → the token columns of usage_logs, from every shape of OpenAI's usage (see app.usage_counts)
--
-- The columns are for display and sums; costs come from price_usage, which reads the same counts. A count that is
-- missing, malformed or contradictory is null. In plpgsql, which keeps its plans: in SQL this function took five times as
-- long for each settled call.
create or replace function app.tokens_of(p_usage jsonb)
returns app.token_counts
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_in jsonb := coalesce(p_usage -> 'input_tokens', p_usage -> 'prompt_tokens');
    v_out jsonb := coalesce(p_usage -> 'output_tokens', p_usage -> 'completion_tokens');
    v_details_in jsonb := coalesce(p_usage -> 'input_tokens_details', p_usage -> 'prompt_tokens_details');
    v_details_out jsonb := coalesce(p_usage -> 'output_tokens_details', p_usage -> 'completion_tokens_details');
    v_counts record;
begin
    -- Nearly all usages have one family of names and both counts, or, of embeddings, one: then these four are the counts.
    if (jsonb_typeof(p_usage) = 'object' and v_in between '0' and '999999999999'
        and (v_out between '0' and '999999999999' or p_usage -> 'total_tokens' = v_in)
        and not coalesce(v_details_in ?| array['cached_tokens_details', 'cache_write_tokens_details'], false)
        and p_usage - case when p_usage ? 'prompt_tokens'
            then array['prompt_tokens', 'completion_tokens', 'total_tokens', 'prompt_tokens_details',
                       'completion_tokens_details', 'tool_usage', 'region', 'completion_window']
            else array['input_tokens', 'output_tokens', 'total_tokens', 'input_tokens_details',
                       'output_tokens_details', 'tool_usage', 'region', 'completion_window'] end = '{}') is not true then
        v_counts := app.usage_counts(p_usage);
        v_in := v_counts.tokens_in;
        v_out := v_counts.tokens_out;
        v_details_in := v_counts.details_in;
        v_details_out := v_counts.details_out;
    end if;
    return row(app.count_of(v_in), app.count_of(v_out), app.count_of(v_details_in -> 'cached_tokens'),
        app.count_of(v_details_in -> 'cache_write_tokens'), app.count_of(v_details_out -> 'reasoning_tokens'),
        app.count_of(v_details_in -> 'audio_tokens'), app.count_of(v_details_out -> 'audio_tokens'))::app.token_counts;
end $$;

comment on function app.tokens_of is 'Token counts of a usage object of either shape; null where it has none.';
-- No grant: part of settle_calls, settle_alone and fill_call.
revoke execute on function app.tokens_of from public, anon, authenticated, service_role;
