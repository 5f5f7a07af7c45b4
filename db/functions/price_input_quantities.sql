-- price_input_quantities(input tokens, their details) → {dimension: tokens}, disjoint; null when a count is unusable
--
-- OpenAI counts cached, written, audio and image tokens as parts of the input tokens; here each part becomes a
-- dimension and is subtracted once. Parts that add up to more than the whole are cut to what is left of it, so that no
-- token is billed twice and no quantity is negative. p_details: as app.usage_counts gives them.
--
-- Written tokens are kept for 30 minutes, but for 12 hours as far as the details say so.
create or replace function app.price_input_quantities(p_tokens numeric, p_details jsonb) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_by_kind jsonb := coalesce(p_details -> 'cached_tokens_details', '{}');
    v_cached numeric := coalesce(app.price_count(p_details -> 'cached_tokens'), 0);
    -- The image tool names these two cached_audio_tokens and cached_image_tokens.
    v_cached_audio numeric := coalesce(app.price_count(
        app.usage_pick(v_by_kind -> 'audio_tokens', v_by_kind -> 'cached_audio_tokens')), 0);
    v_cached_image numeric := coalesce(app.price_count(
        app.usage_pick(v_by_kind -> 'image_tokens', v_by_kind -> 'cached_image_tokens')), 0);
    v_write numeric := coalesce(app.price_count(p_details -> 'cache_write_tokens'), 0);
    v_by_ttl jsonb := coalesce(p_details -> 'cache_write_tokens_details', '{}');
    v_12h numeric := coalesce(app.price_count(v_by_ttl -> 'ttl_12h_tokens'), 0);
    v_audio numeric := coalesce(app.price_count(p_details -> 'audio_tokens'), 0);
    v_image numeric := coalesce(app.price_count(p_details -> 'image_tokens'), 0);
    v_special numeric := v_cached + v_cached_audio + v_cached_image + v_write + v_12h + v_audio + v_image;
    v_rest numeric := p_tokens;
begin
    if v_special = 'NaN' or scale(v_special) > 0 or jsonb_typeof(v_by_kind) <> 'object' or jsonb_typeof(v_by_ttl) <> 'object' then
        return null;
    elsif v_special = 0 then
        return jsonb_build_object('input_text', p_tokens);
    end if;
    v_cached := least(v_cached, v_rest);
    v_rest := v_rest - v_cached;
    v_cached_audio := least(v_cached_audio, v_cached);
    v_cached_image := least(v_cached_image, v_cached - v_cached_audio);
    v_write := least(v_write, v_rest);
    v_12h := least(v_12h, v_write);
    v_rest := v_rest - v_write;
    v_audio := least(greatest(v_audio - v_cached_audio, 0), v_rest);  -- audio_tokens includes the cached audio tokens
    v_rest := v_rest - v_audio;
    v_image := least(greatest(v_image - v_cached_image, 0), v_rest);
    return jsonb_build_object('input_text', v_rest - v_image)
        || jsonb_strip_nulls(jsonb_build_object(
            'input_audio', nullif(v_audio, 0),
            'input_image', nullif(v_image, 0),
            'cached_text', nullif(v_cached - v_cached_audio - v_cached_image, 0),
            'cached_audio', nullif(v_cached_audio, 0),
            'cached_image', nullif(v_cached_image, 0),
            'cache_write', nullif(v_write - v_12h, 0),
            'cache_write_12h', nullif(v_12h, 0)));
end $$;

comment on function app.price_input_quantities is
    'Splits input tokens into disjoint quantities by dimension; null when a count is unusable.';
revoke execute on function app.price_input_quantities from public, anon, authenticated, service_role;
grant execute on function app.price_input_quantities to authenticated;
