-- minute_usage(counts) → the counts of one request as OpenAI's Usage API gives them, as a usage object that app.price_usage reads
--
-- The Usage API counts audio and image tokens without their cached parts; in a usage object each count contains its cached part.
create or replace function app.minute_usage(p_counts jsonb) returns jsonb
language sql immutable
set search_path = ''
as $$
    select jsonb_strip_nulls(jsonb_build_object(
        'input_tokens', coalesce(c.input_tokens, coalesce(c.input_uncached_tokens, 0) + coalesce(c.input_cached_tokens, 0)
            + coalesce(c.input_cache_write_tokens, 0)),
        'output_tokens', coalesce(c.output_tokens, 0),
        'input_tokens_details', jsonb_build_object(
            'cached_tokens', c.input_cached_tokens,
            'cache_write_tokens', c.input_cache_write_tokens,
            'cache_write_tokens_details', case when c.input_cache_write_12h_tokens > 0
                then jsonb_build_object('ttl_12h_tokens', c.input_cache_write_12h_tokens) end,
            'audio_tokens', c.input_audio_tokens + coalesce(c.input_cached_audio_tokens, 0),
            'image_tokens', c.input_image_tokens + coalesce(c.input_cached_image_tokens, 0),
            'cached_tokens_details', jsonb_build_object(
                'audio_tokens', c.input_cached_audio_tokens, 'image_tokens', c.input_cached_image_tokens)),
        'output_tokens_details', jsonb_build_object('audio_tokens', c.output_audio_tokens, 'image_tokens', c.output_image_tokens)))
    from jsonb_to_record(p_counts) as c (
        input_tokens numeric, input_uncached_tokens numeric, input_cached_tokens numeric, input_cache_write_tokens numeric,
        input_cache_write_12h_tokens numeric, input_audio_tokens numeric, input_image_tokens numeric,
        input_cached_audio_tokens numeric, input_cached_image_tokens numeric, output_tokens numeric, output_audio_tokens numeric,
        output_image_tokens numeric)
$$;

comment on function app.minute_usage is 'One request''s counts of OpenAI''s Usage API as a usage object, for pricing a call whose answer never came.';
revoke execute on function app.minute_usage from public, anon, authenticated, service_role;
grant execute on function app.minute_usage to authenticated;
