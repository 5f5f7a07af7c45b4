-- 0018_price_dimensions: one row per dimension, with its kind and its fallback, instead of an array of names
-- squawk-ignore ban-drop-function -- its readers, pricing and the page of prices, are replaced along with it
drop function if exists app.price_dimensions();
