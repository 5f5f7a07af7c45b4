-- report: the sums a spend page is made of, made once and handed to the functions that turn them into totals, table and bars
create type app.spend_cell as (
    is_now boolean, whole boolean, day date, id text, side text, calls bigint, tokens_in bigint, tokens_cached bigint,
    tokens_out bigint, cost numeric, unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint,
    adjustments numeric, cost_corrected numeric
);
comment on type app.spend_cell is 'Sums of one day and one project, key, model, …; see app.spend_cells.';
