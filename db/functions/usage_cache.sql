-- usage_cache(details of the input tokens) → the same details with their totals of cached and of written tokens
--
-- A total that is missing is the sum of its parts. Tokens written to the cache are kept for 30 minutes or for 12 hours;
-- where the two parts are more than the total, or both are given and are less, the total becomes the text
-- "contradictory", as in app.usage_pick.
create or replace function app.usage_cache(p_details jsonb) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_kinds jsonb := p_details -> 'cached_tokens_details';
    v_30m numeric := app.price_count(p_details #> '{cache_write_tokens_details,ttl_30m_tokens}');
    v_12h numeric := app.price_count(p_details #> '{cache_write_tokens_details,ttl_12h_tokens}');
    v_written numeric := app.price_count(p_details -> 'cache_write_tokens');
    v_parts numeric := coalesce(v_30m, 0) + coalesce(v_12h, 0);
    v_cached numeric;
begin
    if not p_details ? 'cached_tokens' and jsonb_typeof(v_kinds) = 'object' then
        v_cached := coalesce(app.price_count(app.usage_pick(v_kinds -> 'text_tokens', v_kinds -> 'cached_text_tokens')), 0)
            + coalesce(app.price_count(app.usage_pick(v_kinds -> 'audio_tokens', v_kinds -> 'cached_audio_tokens')), 0)
            + coalesce(app.price_count(app.usage_pick(v_kinds -> 'image_tokens', v_kinds -> 'cached_image_tokens')), 0);
        p_details := p_details || jsonb_build_object('cached_tokens', v_cached);
    end if;
    if v_written is null and v_30m is null and v_12h is null then
        return p_details;
    elsif v_parts = 'NaN' or v_parts > v_written or (v_parts < v_written and v_30m is not null and v_12h is not null) then
        return p_details || '{"cache_write_tokens": "contradictory"}';
    end if;
    return p_details || jsonb_build_object('cache_write_tokens', coalesce(v_written, v_parts));
end $$;

comment on function app.usage_cache is
    'Details of input tokens with the totals of cached and written tokens; contradictory parts make a total unusable.';
revoke execute on function app.usage_cache from public, anon, authenticated, service_role;
grant execute on function app.usage_cache to authenticated;
