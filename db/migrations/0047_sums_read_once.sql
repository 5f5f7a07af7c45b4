-- 0047_sums_read_once: app.spend_report without kinds, app.project_overview without sums
--
-- No page showed either of them, and each read all totals once more. Their files make the functions again.
-- squawk-ignore ban-drop-function
drop function if exists app.spend_report(
    timestamptz, timestamptz, timestamptz, timestamptz, text, text, text, text, text, jsonb, integer
);
-- squawk-ignore ban-drop-function
drop function if exists app.project_overview();
