-- price_image_tool_quantities(usage) → {dimension: tokens} of images made inside a response; {} when none, null when unusable
--
-- The image model's tokens are a second meter, in tool_usage beside the response's own tokens. An image model without
-- tokens means that an image was made and nobody counted: unusable, not free.
create or replace function app.price_image_tool_quantities(p_usage jsonb) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_tool_usage jsonb := coalesce(nullif(p_usage -> 'tool_usage', 'null'), '{}');
    v_quantities jsonb := '{}';
begin
    if jsonb_typeof(v_tool_usage) <> 'object' then
        return null;
    end if;
    if nullif(v_tool_usage -> 'image_gen', 'null') is not null then
        v_quantities := app.price_quantities('/v1/images/generations', v_tool_usage -> 'image_gen');
    end if;
    if v_quantities = '{}' and v_tool_usage ? 'image_model' then
        return null;
    end if;
    -- Offered but not used: every response that may make images says so with zeros.
    return case when v_quantities is null or v_quantities @? '$.* ? (@ > 0)' then v_quantities else '{}' end;
end $$;

comment on function app.price_image_tool_quantities is
    'Tokens of the image tool of a response by price dimension: {} when none, null when they make no sense.';
revoke execute on function app.price_image_tool_quantities from public, anon, authenticated, service_role;
grant execute on function app.price_image_tool_quantities to authenticated;
