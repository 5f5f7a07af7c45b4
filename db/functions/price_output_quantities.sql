-- price_output_quantities(output tokens, their details, kind) → {dimension: tokens}, disjoint; null when a count is unusable
--
-- Reasoning and predicted tokens are parts of the output tokens and have the same price, so they are not split off.
-- p_kind (text, audio or image): what the tokens are where the details do not say. The endpoints for images and speech may
-- report a total only, and the sum over such answers may have details of some of its tokens.
create or replace function app.price_output_quantities(p_tokens numeric, p_details jsonb, p_kind text) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_text numeric := coalesce(app.price_count(p_details -> 'text_tokens'), 0);
    v_audio numeric := coalesce(app.price_count(p_details -> 'audio_tokens'), 0);
    v_image numeric := coalesce(app.price_count(p_details -> 'image_tokens'), 0);
begin
    if v_text + v_audio + v_image = 'NaN' or scale(v_text + v_audio + v_image) > 0 then
        return null;
    elsif p_kind = 'text' and v_audio + v_image = 0 then
        return jsonb_build_object('output_text', p_tokens);
    end if;
    if p_kind = 'audio' and (not p_details ? 'audio_tokens' or p_details ? 'text_tokens') then
        v_audio := greatest(p_tokens - v_text - v_image, v_audio);
    elsif p_kind = 'image' and (not p_details ? 'image_tokens' or p_details ? 'text_tokens') then
        v_image := greatest(p_tokens - v_text - v_audio, v_image);
    end if;
    v_audio := least(v_audio, p_tokens);
    v_image := least(v_image, p_tokens - v_audio);
    return jsonb_strip_nulls(jsonb_build_object(
        'output_text', nullif(p_tokens - v_audio - v_image, 0),
        'output_audio', nullif(v_audio, 0),
        'output_image', nullif(v_image, 0)));
end $$;

comment on function app.price_output_quantities is
    'Splits output tokens into disjoint quantities by dimension; null when a count is unusable.';
revoke execute on function app.price_output_quantities from public, anon, authenticated, service_role;
grant execute on function app.price_output_quantities to authenticated;
