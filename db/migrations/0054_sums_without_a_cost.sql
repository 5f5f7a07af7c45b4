-- 0054_sums_without_a_cost: functions that also count calls without a known cost where they return a sum; their files make them again
--
-- app.spend_months: of each month; app.spend_bars: of each bar; the others: of the period that is compared.
-- squawk-ignore ban-drop-function
drop function if exists app.spend_months(integer, integer, jsonb, text);
-- squawk-ignore ban-drop-function
drop function if exists app.spend_bars(app.spend_cell[], timestamptz, timestamptz, text, text, text[]);
-- squawk-ignore ban-drop-function
drop function if exists app.spend_totals(app.spend_cell[], boolean);
-- squawk-ignore ban-drop-function
drop function if exists app.spend_breakdown(app.spend_cell[], text, boolean, integer, boolean);
-- squawk-ignore ban-drop-function
drop function if exists app.key_page(
    timestamptz, timestamptz, timestamptz, timestamptz, jsonb, text, text, integer, integer
);
-- squawk-ignore ban-drop-function
drop function if exists app.key_generations(uuid, timestamptz, timestamptz, timestamptz, timestamptz);
-- squawk-ignore ban-drop-function
drop function if exists app.label_page(
    text, text, timestamptz, timestamptz, timestamptz, timestamptz, text, text, integer, integer
);
