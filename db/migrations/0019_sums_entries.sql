-- 0019_sums_entries: app.sums_entries takes the period it is for instead of numbered parameters that its caller exchanged
-- squawk-ignore ban-drop-function -- part of app.sums: nothing outside calls it
drop function if exists app.sums_entries(text, jsonb, boolean);
