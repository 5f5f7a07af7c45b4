-- is_sighting(method, endpoint) → whether a call reads or cancels an object (response, batch, video) that another call made
create or replace function app.is_sighting(p_method text, p_endpoint text) returns boolean
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
    return p_method in ('GET', 'HEAD') or p_endpoint like '%}/cancel';
end $$;

comment on function app.is_sighting is 'Whether a call reads or cancels an object that another call made.';
-- No grant: part of settle_calls, settle_alone, settle_containers, fill_objects and sightings_before.
revoke execute on function app.is_sighting from public, anon, authenticated, service_role;
