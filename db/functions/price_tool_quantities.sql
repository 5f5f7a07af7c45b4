-- price_tool_quantities(tools, size) → {dimension: quantity} of what is billed by call, session or second; null when unusable
--
-- A key may carry a qualifier behind a colon, such as container_sessions:4g. Videos get their size as one, except the
-- sizes that the usual price is for.
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
        -- What the usage reports would be replaced by what is said here.
        if v_count = 'NaN' or v_tool.key !~ '^[a-z_]{1,40}(:[^:]{1,40})?$'
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
    'Billable tool calls, sessions and video seconds by price dimension; null when a count is none.';
revoke execute on function app.price_tool_quantities from public, anon, authenticated, service_role;
grant execute on function app.price_tool_quantities to authenticated;
