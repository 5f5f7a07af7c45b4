-- 0014_price_limits: looking up prices takes the most input tokens there may be, so that prices for long calls stay away
-- squawk-ignore ban-drop-function -- parts of price_usage: nothing outside calls them
drop function if exists
    app.price_terms(uuid, text, text, text, text, text, text, boolean, timestamptz),
    app.price_sheet(uuid, text, text, boolean, timestamptz);
