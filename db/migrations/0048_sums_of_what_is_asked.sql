-- 0048_sums_of_what_is_asked: app.sums_entries is told the bars, so that its query looks up the bar of each day
-- squawk-ignore ban-drop-function -- part of app.sums: nothing outside calls it
drop function if exists app.sums_entries(
    text, text, timestamptz[], timestamptz[], tstzrange, text, text[], boolean, text[], jsonb, boolean
);
