-- 0025_bill_parts: pricing looks up several other models of one call, and prices of regions and completion windows
-- squawk-ignore ban-drop-function -- parts of price_usage: nothing outside calls them
drop function if exists
    app.price_terms(uuid, text, text, text, text, text, text, boolean, integer, timestamptz),
    app.price_sheet(uuid, text, text, boolean, integer, timestamptz),
    app.price_bill(jsonb, jsonb);
