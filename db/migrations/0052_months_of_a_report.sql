-- 0052_months_of_a_report: app.spend_report also returns the months it has read; its file makes it again
--
-- squawk-ignore ban-drop-function
drop function if exists app.spend_report(
    timestamptz, timestamptz, timestamptz, timestamptz, text, text, text, text, text, jsonb, integer
);
