-- 0045_spend_report: sums by hour, day, week and month of any time zone, and a report that is compared with a period of its caller's choice
--
-- Cells had the day (UTC) they are for; now the moment at which their bar begins. The files of their names make the functions again.
-- squawk-ignore ban-drop-function
drop function if exists app.sums(timestamptz, timestamptz, text[], jsonb);
-- squawk-ignore ban-drop-function
drop function if exists app.sums_entries(text, timestamptz, timestamptz, jsonb, boolean);
-- squawk-ignore ban-drop-function
drop function if exists app.sums_source(text[], jsonb);
-- squawk-ignore ban-drop-function
drop function if exists app.usage(timestamptz, timestamptz, text[], jsonb);
-- squawk-ignore ban-drop-function
drop function if exists app.usage_with_total(timestamptz, timestamptz, text[], jsonb);
-- squawk-ignore ban-drop-function
drop function if exists app.spend_months(integer, jsonb);
-- squawk-ignore ban-drop-function
drop function if exists app.spend_report(timestamptz, timestamptz, text, text, jsonb, integer);
-- squawk-ignore ban-drop-function
drop function if exists app.spend_cells(timestamptz, timestamptz, text, text, jsonb);
-- squawk-ignore ban-drop-function
drop function if exists app.spend_bars(app.spend_cell[], timestamptz, timestamptz, text[]);
-- squawk-ignore ban-drop-function
drop function if exists app.spend_breakdown(app.spend_cell[], text, boolean, integer);
-- squawk-ignore ban-drop-function
drop function if exists app.spend_totals(app.spend_cell[]);

-- squawk-ignore ban-drop-type -- part of app.spend_report: nothing outside uses it
drop type app.spend_cell;
create type app.spend_cell as (
    is_now boolean, whole boolean, bar timestamptz, id text, side text,
    calls bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric, unpriced_calls bigint,
    no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint, adjustments numeric, cost_corrected numeric
);
comment on type app.spend_cell is 'Sums of one bar of a chart and one project, key, model, …; see app.spend_cells.';
