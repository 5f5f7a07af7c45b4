-- 0048_sums_of_what_is_asked: functions that add up no more than a page shows; their files make them again
--
-- app.sums is told the sums that are needed, app.sums_entries the bars; app.spend_months has no tokens and can leave out months.
-- squawk-ignore ban-drop-function
drop function if exists app.sums(timestamptz, timestamptz, text[], jsonb, text, text);
-- squawk-ignore ban-drop-function
drop function if exists app.sums_entries(
    text, text, timestamptz[], timestamptz[], tstzrange, text, text[], boolean, text[], jsonb, boolean
);
-- squawk-ignore ban-drop-function
drop function if exists app.spend_months(integer, jsonb, text);
