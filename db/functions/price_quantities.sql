-- price_quantities(endpoint, usage) → {dimension: quantity}, disjoint; {} when nothing was reported, null when unusable
--
-- Reads every shape OpenAI answers (prompt_/completion_ and input_/output_tokens, singular and plural details, seconds) and
-- what metering takes from the request where the answer has no usage (characters, images). A key may carry a qualifier
-- behind a colon: images:1024x1024+hd.
create or replace function app.price_quantities(p_endpoint text, p_usage jsonb) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    u jsonb := coalesce(jsonb_strip_nulls(nullif(p_usage, 'null')), '{}');  -- a null count and an absent one mean the same
    v_in_details jsonb := coalesce(
        u -> 'input_tokens_details', u -> 'prompt_tokens_details', u -> 'input_token_details', '{}');
    v_out_details jsonb := coalesce(
        u -> 'output_tokens_details', u -> 'completion_tokens_details', u -> 'output_token_details', '{}');
    v_in numeric := app.price_count(coalesce(u -> 'input_tokens', u -> 'prompt_tokens'));
    v_out numeric := app.price_count(coalesce(u -> 'output_tokens', u -> 'completion_tokens'));
    v_total numeric := case when v_in is null or v_out is null then app.price_count(u -> 'total_tokens') end;
    -- A transcription is billed by tokens or by seconds and says by which.
    v_by_seconds boolean := coalesce(u ->> 'type' = 'duration', v_in is null and v_out is null);
    v_other jsonb := '{}';
begin
    if jsonb_typeof(u) <> 'object' or jsonb_typeof(v_in_details) <> 'object' or jsonb_typeof(v_out_details) <> 'object' then
        return null;
    end if;
    if u ?| array['seconds', 'characters', 'images'] then
        v_other := app.price_unit_quantities(u, v_by_seconds);
    end if;
    if coalesce(u ->> 'type', '') = 'duration' or (v_in is null and v_out is null and v_total is null) then
        return v_other;
    end if;

    -- The total stands in for a missing half; without input nothing can be priced, for every call has some.
    v_in := coalesce(v_in, v_total - v_out);
    v_out := coalesce(v_out, greatest(v_total - v_in, 0), 0);
    if v_in is null or v_in + v_out = 'NaN' or v_in < 0 then
        return null;
    end if;
    return v_other  -- any part that is null makes the whole null
        || app.price_input_quantities(v_in, v_in_details)
        || app.price_output_quantities(v_out, v_out_details, case
            when p_endpoint like '%/audio/speech' then 'audio' when p_endpoint like '%/images/%' then 'image' else 'text' end);
end $$;

comment on function app.price_quantities is
    'OpenAI''s usage as disjoint quantities by price dimension: {} when it reports none, null when it makes no sense.';
revoke execute on function app.price_quantities from public, anon, authenticated, service_role;
grant execute on function app.price_quantities to authenticated;
