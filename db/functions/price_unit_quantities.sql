-- price_unit_quantities(usage, by seconds) → {dimension: quantity} of seconds, characters and images; null when unusable
--
-- p_by_seconds: whether the call is billed by its seconds. A Live session reports its active and its paused seconds
-- apart, sometimes only one of them; paused ones have a price of their own. Together they may be 1 second more than all
-- seconds, because OpenAI rounds them. Size and quality of images become the qualifier: images:1024x1024+hd.
create or replace function app.price_unit_quantities(p_usage jsonb, p_by_seconds boolean) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_seconds numeric := app.price_count(p_usage -> 'seconds');
    v_active numeric := app.price_count(p_usage -> 'active_seconds');
    v_paused numeric := app.price_count(p_usage -> 'paused_seconds');
    v_characters numeric := app.price_count(p_usage -> 'characters');
    v_images numeric := app.price_count(p_usage -> 'images');
    v_kind text := concat_ws('+', left(p_usage ->> 'size', 40), left(p_usage ->> 'quality', 39));
begin
    if coalesce(v_seconds, 0) + coalesce(v_characters, 0) + coalesce(v_images, 0)
       + coalesce(v_active, 0) + coalesce(v_paused, 0) = 'NaN' then
        return null;
    elsif v_paused > v_seconds or coalesce(v_active, 0) + coalesce(v_paused, 0) > v_seconds + 1 then
        return null;
    end if;
    return jsonb_strip_nulls(jsonb_build_object(
        'audio_seconds', case when p_by_seconds then coalesce(v_active, v_seconds - coalesce(v_paused, 0)) end,
        'standby_seconds', case when p_by_seconds then nullif(v_paused, 0) end,
        'input_characters', v_characters,
        concat_ws(':', 'images', nullif(v_kind, '')), v_images));
end $$;

comment on function app.price_unit_quantities is
    'Seconds, characters and images of a usage by dimension; null when a count is unusable.';
revoke execute on function app.price_unit_quantities from public, anon, authenticated, service_role;
grant execute on function app.price_unit_quantities to authenticated;
