-- price_tiers() → the service tiers of model_prices, the usual one first
--
-- The one list of them: app.price_tier_of translates OpenAI's names for them, and a test holds the check of the table
-- model_prices equal to this list.
create or replace function app.price_tiers() returns text[]
language sql immutable parallel safe
set search_path = ''
as $$
    select array['standard', 'batch', 'flex', 'priority', 'ultrafast']
$$;

comment on function app.price_tiers is 'The service tiers a price may be for.';
revoke execute on function app.price_tiers from public, anon, authenticated, service_role;
grant execute on function app.price_tiers to authenticated;
