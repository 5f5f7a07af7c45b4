-- price_tool_quantities(tools, size) → {dimension: quantity} of tool calls, sessions and video seconds; null when unusable
--
-- p_tools: as metering reports it; more than 32 counts are unusable. A dimension may have a qualifier after a colon, such
-- as container_sessions:4g. p_size: of a video; it becomes the qualifier of video_seconds, unless the price without a
-- qualifier is for this size.
create or replace function app.price_tool_quantities(p_tools jsonb, p_size text) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_quantities jsonb := '{}';
    v_tool record;
    v_count numeric;
begin
    if nullif(p_tools, 'null') is null then
        return '{}';
    elsif jsonb_typeof(p_tools) <> 'object' then
        return null;
    end if;
    for v_tool in select t.key, t.value from jsonb_each(p_tools) as t limit 33 loop
        v_count := app.price_count(v_tool.value);
        continue when v_count is null;
        -- Dimensions of the usage are refused: the caller merges both, and this count would replace that of the usage.
        if v_count = 'NaN' or v_tool.key !~ '^[a-z][a-z0-9_]{0,39}(:[^:]{1,40})?$'
           or app.price_groups() -> 'usage' ? split_part(v_tool.key, ':', 1) then
            return null;
        end if;
        if v_tool.key = 'video_seconds' and p_size not in ('720x1280', '1280x720', '1024x1792', '1792x1024') then
            v_tool.key := 'video_seconds:' || left(p_size, 40);
        end if;
        v_quantities := v_quantities || jsonb_build_object(v_tool.key, v_count);
    end loop;
    return case when (select count(*) from jsonb_object_keys(v_quantities)) <= 32 then v_quantities end;
end $$;

comment on function app.price_tool_quantities is
    'Tool calls, sessions and video seconds of a call by dimension; null when a count is unusable.';
revoke execute on function app.price_tool_quantities from public, anon, authenticated, service_role;
grant execute on function app.price_tool_quantities to authenticated;
