-- price_meters(usage) → [{model, quantities}, …] of what other models did for a call; [] when none, null when unusable
--
-- Images made inside a response (price_image_tool_quantities), and SVG drawings: svg_usage is one object
-- {model, input_tokens, output_tokens, reasoning_tokens, total_tokens} or an array of at most 16. Reasoning tokens are a part
-- of the output tokens. Neither is included in the usage of the call itself. model is null when the usage does not name it.
create or replace function app.price_meters(p_usage jsonb) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_drawings jsonb := coalesce(nullif(p_usage -> 'svg_usage', 'null'), '[]');
    v_drawing jsonb;
    v_quantities jsonb := '{}';
    v_meters jsonb := '[]';
begin
    if p_usage ? 'tool_usage' then
        v_quantities := app.price_image_tool_quantities(p_usage);
    end if;
    if v_quantities <> '{}' then
        v_meters := jsonb_build_array(jsonb_build_object('quantities', v_quantities,
            'model', coalesce(p_usage #>> '{tool_usage,image_model}', p_usage ->> 'image_model')));
    end if;
    if jsonb_typeof(v_drawings) = 'object' then
        v_drawings := jsonb_build_array(v_drawings);
    end if;
    if v_quantities is null or jsonb_typeof(v_drawings) <> 'array' or jsonb_array_length(v_drawings) > 16 then
        return null;
    end if;
    for i in 0 .. jsonb_array_length(v_drawings) - 1 loop
        v_drawing := v_drawings -> i;
        if jsonb_typeof(v_drawing) <> 'object' then
            return null;
        end if;
        v_quantities := app.price_quantities('/v1/responses', v_drawing - array['model', 'reasoning_tokens']);
        if v_quantities is null or v_quantities = '{}' then  -- a drawing that nobody counted is not free
            return null;
        end if;
        v_meters := v_meters || jsonb_build_object('model', v_drawing ->> 'model', 'quantities', v_quantities);
    end loop;
    return v_meters;
end $$;

comment on function app.price_meters is
    'What other models did for a call (images, SVG drawings) as quantities, each with its model; null when unusable.';
revoke execute on function app.price_meters from public, anon, authenticated, service_role;
grant execute on function app.price_meters to authenticated;
