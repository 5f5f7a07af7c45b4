-- 0054_months_without_a_cost: app.spend_months also counts calls without a known cost; its file makes it again
--
-- squawk-ignore ban-drop-function
drop function if exists app.spend_months(integer, integer, jsonb, text);
