-- price_image_tool_quantities(usage) → {dimension: tokens} of images made inside a response; {} when none, null when unusable
--
-- A response that makes images reports the tokens of the image model apart from its own, in tool_usage.image_gen. When
-- metering has found an image model (tool_usage.image_model) but no tokens, an image was made that nobody counted:
-- unusable, not free. What the block counts under an unknown name has its path from the usage on.
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
    if v_quantities <> '{}' then
        v_quantities := (select jsonb_object_agg(case
            when app.price_groups() -> 'usage' ? split_part(q.key, ':', 1) then q.key
            else left('tool_usage.image_gen.' || q.key, 80) end, q.value) from jsonb_each(v_quantities) as q);
    end if;
    if v_quantities = '{}' and v_tool_usage ? 'image_model' then
        return null;
    end if;
    -- All counts are 0: the tool was offered and not used.
    return case when v_quantities is null or v_quantities @? '$.* ? (@ > 0)' then v_quantities else '{}' end;
end $$;

comment on function app.price_image_tool_quantities is
    'Tokens of the image tool of a response by dimension: {} when none, null when the counts are unusable.';
revoke execute on function app.price_image_tool_quantities from public, anon, authenticated, service_role;
grant execute on function app.price_image_tool_quantities to authenticated;
