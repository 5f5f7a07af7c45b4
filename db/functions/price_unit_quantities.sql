-- price_unit_quantities(usage, by seconds) → {dimension: quantity} of seconds, characters and images; null when unusable
--
-- p_by_seconds: whether the call is billed by its seconds. Size and quality of images become the qualifier:
-- images:1024x1024+hd.
create or replace function app.price_unit_quantities(p_usage jsonb, p_by_seconds boolean) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_seconds numeric := app.price_count(p_usage -> 'seconds');
    v_characters numeric := app.price_count(p_usage -> 'characters');
    v_images numeric := app.price_count(p_usage -> 'images');
    v_kind text := concat_ws('+', left(p_usage ->> 'size', 40), left(p_usage ->> 'quality', 39));
begin
    if coalesce(v_seconds, 0) + coalesce(v_characters, 0) + coalesce(v_images, 0) = 'NaN' then
        return null;
    end if;
    return jsonb_strip_nulls(jsonb_build_object(
        'audio_seconds', case when p_by_seconds then v_seconds end,
        'input_characters', v_characters,
        concat_ws(':', 'images', nullif(v_kind, '')), v_images));
end $$;

comment on function app.price_unit_quantities is
    'Seconds, characters and images of a usage by dimension; null when a count is unusable.';
revoke execute on function app.price_unit_quantities from public, anon, authenticated, service_role;
grant execute on function app.price_unit_quantities to authenticated;
