-- price_quantities(endpoint, usage) → {dimension: quantity}, disjoint; {} when there are no counts, null when unusable
--
-- Reads every shape of OpenAI's usage (see app.usage_counts), seconds, and what metering takes from the request where the
-- answer has no usage (characters, images). A dimension may have a qualifier after a colon: images:1024x1024+hd. What
-- the usage counts under an unknown name is a quantity too, so that the call has no cost instead of one that is too low.
-- Half a token does not exist: its usage is unusable.
create or replace function app.price_quantities(p_endpoint text, p_usage jsonb) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    u jsonb := coalesce(jsonb_strip_nulls(nullif(p_usage, 'null')), '{}');  -- a null count and an absent one mean the same
    v_in_details jsonb := coalesce(u -> 'input_tokens_details', u -> 'prompt_tokens_details', '{}');
    v_out_details jsonb := coalesce(u -> 'output_tokens_details', u -> 'completion_tokens_details', '{}');
    v_said_in jsonb := coalesce(u -> 'input_tokens', u -> 'prompt_tokens');
    v_said_out jsonb := coalesce(u -> 'output_tokens', u -> 'completion_tokens',
        case when u -> 'total_tokens' = v_said_in then '0'::jsonb end);  -- embeddings
    v_said_cached jsonb := coalesce(v_in_details -> 'cached_tokens', '0');
    v_counts record;
    v_in numeric;
    v_out numeric;
    v_other jsonb;
begin
    if jsonb_typeof(u) <> 'object' or jsonb_typeof(v_in_details) <> 'object' or jsonb_typeof(v_out_details) <> 'object' then
        return null;
    end if;
    -- Nearly all calls: text in, part of it cached, text out. The code below gives the same result, but takes many times as
    -- long. Only one family of names, and nothing else that the code below would count.
    if v_said_in between '0' and '1000000000000' and v_said_out between '0' and '1000000000000'
       and v_said_cached between '0' and v_said_in
       and u - (case when u ? 'prompt_tokens'
           then array['prompt_tokens', 'completion_tokens', 'total_tokens', 'prompt_tokens_details', 'completion_tokens_details',
                      'size', 'quality', 'image_model', 'tool_usage', 'region', 'completion_window']
           else array['input_tokens', 'output_tokens', 'total_tokens', 'input_tokens_details', 'output_tokens_details',
                      'size', 'quality', 'image_model', 'tool_usage', 'region', 'completion_window'] end) = '{}'
       and v_in_details - 'cached_tokens' <@ '{"audio_tokens": 0, "cache_write_tokens": 0,
           "cache_write_tokens_details": {"ttl_30m_tokens": 0, "ttl_12h_tokens": 0}}'
       and v_out_details - 'reasoning_tokens'
           <@ '{"audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}'
       and not p_endpoint like any (array['%/audio/speech', '%/images/%']) then
        if scale(v_said_in::numeric + v_said_out::numeric + v_said_cached::numeric) = 0 then
            return jsonb_strip_nulls(jsonb_build_object('input_text', v_said_in::numeric - v_said_cached::numeric,
                'cached_text', nullif(v_said_cached, '0'), 'output_text', v_said_out));
        end if;
    end if;

    v_counts := app.usage_counts(u);
    if jsonb_typeof(v_counts.details_in) <> 'object' or jsonb_typeof(v_counts.details_out) <> 'object'
       or v_counts.details_in @? '$.** ? (@ == "contradictory")' or v_counts.details_out @? '$.** ? (@ == "contradictory")' then
        return null;
    end if;
    v_in := app.price_count(v_counts.tokens_in);
    v_out := app.price_count(v_counts.tokens_out);
    v_other := app.usage_unknown(u);
    if u ?| array['seconds', 'active_seconds', 'paused_seconds', 'characters', 'images'] then
        -- A transcription is billed either by tokens or by seconds; its usage says which in `type`.
        v_other := v_other
            || app.price_unit_quantities(u, coalesce(u ->> 'type' = 'duration', v_in is null and v_out is null));
    end if;
    if u ->> 'type' = 'duration' or (v_in is null and v_out is null and not u ? 'total_tokens') then
        return v_other;
    end if;

    -- Every call has input tokens. Only embeddings have no output: elsewhere a usage without it, and without a total that
    -- leaves nothing for it, does not say what the call cost.
    if v_in is null or (v_out is null and p_endpoint not like '%/embeddings' and not u ? 'total_tokens') then
        return null;
    end if;
    v_out := coalesce(v_out, 0);
    if v_in + v_out = 'NaN' or scale(v_in + v_out) > 0 then  -- a sum has as many decimals as its longest part
        return null;
    end if;
    return v_other  -- null when any part is
        || app.price_input_quantities(v_in, v_counts.details_in)
        || app.price_output_quantities(v_out, v_counts.details_out, case
            when p_endpoint like '%/audio/speech' then 'audio' when p_endpoint like '%/images/%' then 'image' else 'text' end);
end $$;

comment on function app.price_quantities is
    'OpenAI''s usage as disjoint quantities by dimension: {} when it has no counts, null when it is unusable.';
revoke execute on function app.price_quantities from public, anon, authenticated, service_role;
grant execute on function app.price_quantities to authenticated;
