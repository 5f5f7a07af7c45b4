-- price_others(usage) → names of the models that worked for a call beside its own, or null
--
-- The model of the image tool (tool_usage.image_model, or image_model) and those of svg_usage: the models of price_meters.
create or replace function app.price_others(p_usage jsonb) returns text[]
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_image text := coalesce(p_usage #>> '{tool_usage,image_model}', p_usage ->> 'image_model');
begin
    if p_usage ? 'svg_usage' then
        return (select array_agg(distinct n) from (
            select v_image union all
            select m #>> '{}' from jsonb_path_query(p_usage -> 'svg_usage', '$[0 to 15].model') as m) as named (n)
            where n is not null);
    end if;
    return case when v_image is not null then array[v_image] end;
end $$;

comment on function app.price_others is
    'Names of the models whose use a call reports apart from its own (image tool, SVG authoring); null when there are none.';
revoke execute on function app.price_others from public, anon, authenticated, service_role;
grant execute on function app.price_others to authenticated;
