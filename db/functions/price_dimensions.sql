-- price_dimensions() → the dimensions calls are billed by, one row each, in the order in which people look for them
--
-- The one list of them: app.price_groups derives every group of dimensions from it. A new dimension is a new row here,
-- and a quantity in the function that reads it from the usage (price_input_quantities, price_output_quantities,
-- price_unit_quantities) or from the tools.
--
-- kind: what is counted and who reports it. input, output: tokens, from the usage. unit: seconds, characters and
-- images, from the usage. tool: from the tools of the call, beside its usage. share: dollars that the tokens of the call
-- cost, of which the price adds or takes off a part. request: the call itself.
-- fallback: the dimension whose price applies when the model has no price for this one.
create or replace function app.price_dimensions() returns table (dimension text, kind text, fallback text)
language sql immutable parallel safe rows 23
set search_path = ''
as $$
    values
        ('input_text', 'input', null),
        ('cached_text', 'input', 'input_text'),
        ('cache_write', 'input', 'input_text'),
        ('cache_write_12h', 'input', null),
        ('output_text', 'output', 'output_image'),
        ('input_audio', 'input', 'input_text'),
        ('cached_audio', 'input', null),
        ('output_audio', 'output', 'output_text'),
        ('input_image', 'input', 'input_text'),
        ('cached_image', 'input', null),
        ('output_image', 'output', 'output_text'),
        ('audio_seconds', 'unit', null),
        ('standby_seconds', 'unit', null),
        ('video_seconds', 'tool', null),
        ('input_characters', 'unit', null),
        ('images', 'unit', null),
        ('web_search_calls', 'tool', null),
        ('web_search_preview_calls', 'tool', null),
        ('file_search_calls', 'tool', null),
        ('container_sessions', 'tool', null),
        ('completion_window', 'share', null),
        ('regional_processing', 'share', null),
        ('requests', 'request', null)
$$;

comment on function app.price_dimensions is
    'The dimensions calls are billed by: what kind each is, and which other price applies where it has none.';
revoke execute on function app.price_dimensions from public, anon, authenticated, service_role;
grant execute on function app.price_dimensions to authenticated;
