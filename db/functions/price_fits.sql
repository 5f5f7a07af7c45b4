-- price_fits(endpoint, sheet) → whether the price model of this sheet can have served a call of this endpoint
--
-- Some answers name another model than the one that served: Azure answers embeddings of text-embedding-ada-002 as `ada`,
-- a completion model. Which prices a model has tells what it can do. Only endpoints where a wrong model would have a price for
-- what was counted are checked; elsewhere the missing price shows by itself (unpriced_dimension).
create or replace function app.price_fits(p_endpoint text, p_sheet jsonb) returns boolean
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
    return case
        when p_endpoint like '%/embeddings' then not p_sheet ? 'output_text'
        when p_endpoint like '%/audio/transcriptions' or p_endpoint like '%/audio/translations'
            then p_sheet ?| array['audio_seconds', 'input_audio']
        when p_endpoint like '%/images/%'
            then p_sheet ?| array['output_image', 'input_image'] or p_sheet @? '$.keyvalue() ? (@.key starts with "images")'
        else true
    end;
end $$;

comment on function app.price_fits is
    'Whether a model with these prices can have served a call of this endpoint, as far as the prices tell.';
revoke execute on function app.price_fits from public, anon, authenticated, service_role;
grant execute on function app.price_fits to authenticated;
