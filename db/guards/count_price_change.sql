-- count_price_change(): trigger of model_prices and price_aliases; what app.known_terms keeps does not hold any longer
--
-- Transactions that change prices wait for each other here; calls only read the number.
create or replace function private.count_price_change() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    update private.price_changes set n = n + 1;
    return null;
end $$;

comment on function private.count_price_change is 'Trigger: counts changes of prices and aliases, after which kept price terms are void.';
-- No grant: triggers need none.
revoke execute on function private.count_price_change from public, anon, authenticated, service_role;
