-- price_dimensions() → everything that can have a price, in the order people look for it
create or replace function app.price_dimensions() returns text[]
language sql immutable parallel safe
set search_path = ''
as $$
    select array[
        'input_text', 'cached_text', 'cache_write', 'output_text', 'input_audio', 'cached_audio', 'output_audio',
        'input_image', 'cached_image', 'output_image', 'audio_seconds', 'video_seconds', 'input_characters', 'images',
        'web_search_calls', 'web_search_preview_calls', 'file_search_calls', 'container_sessions', 'requests']
$$;

comment on function app.price_dimensions is 'The dimensions calls are priced by.';
revoke execute on function app.price_dimensions from public, anon, authenticated, service_role;
grant execute on function app.price_dimensions to authenticated;
