-- 0024_meters: dimensions whose names have digits (cache_write_12h), and prices below 0 for what is taken off
--
-- A row of the dimension completion_window is a share of what the tokens cost, so its price is -0.3 for 30 % off.
-- The table has a few thousand rows and is read, not written, while calls run: checking all rows at once takes milliseconds.
alter table public.model_prices
    -- squawk-ignore ban-drop-constraint
    drop constraint model_prices_dimension_check,
    -- squawk-ignore ban-drop-constraint
    drop constraint model_prices_unit_price_check,
    -- squawk-ignore constraint-missing-not-valid
    add constraint model_prices_dimension_check check (dimension ~ '^[a-z][a-z0-9_]{0,39}$'),
    -- squawk-ignore constraint-missing-not-valid
    add constraint model_prices_unit_price_check
        check (unit_price <> 'NaN' and (unit_price >= 0 or dimension = 'completion_window' and unit_price >= -1));
comment on column public.model_prices.unit_price is
    'US dollars for unit_qty units. For a share of what the tokens cost (regional_processing, completion_window): 0.1 adds 10 %.';
comment on column public.model_prices.qualifier is
    'Narrower kind of the same dimension, such as an image''s size+quality, a container''s memory or a region; empty: the usual one.';
