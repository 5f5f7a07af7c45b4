-- 0020_ledger_comments: what the tables of the ledger hold, in the words that the rest of the schema uses
comment on table public.usage_logs is
    'The ledger: one row per call, opened before the call goes upstream and settled before its answer ends.';
comment on column public.usage_logs.state is 'open: sent, or about to be sent, upstream. settled: the answer ended.';
comment on column public.usage_logs.upstream is 'openai: real money. sandbox: an answer made up here, for sandbox money. One of the two is the organization''s books.';
comment on column public.usage_logs.cost is 'US dollars; null when not known, never 0 for that. Never changed once known: see cost_adjustments.';
comment on column public.usage_logs.cost_lines is 'The lines of the cost: dimension, quantity, unit price and price row of each.';
comment on column public.usage_logs.tags is 'Tags the client sent in x-spendai-tags, name to value; an empty object when it sent none.';

comment on table public.cost_fills is 'Fills: costs that became known after their call was settled without one, or another reason for having none.';
comment on table public.cost_adjustments is
    'Corrections: the cost of a settled call never changes; what is added to it, or taken from it, stands here.';

comment on table private.closed_calls is
    'Calls settled by hand. When their settle message comes after all, the difference becomes a fill or a correction.';
comment on column private.closed_calls.settled_at is 'When the settle message came after all.';
comment on column private.closed_calls.closed_by is 'The admin; null for the operator on the command line.';

comment on table public.daily_totals is
    'Daily totals: sums per day (UTC) of settled calls and of corrections, exact at every moment. Open calls are in none.';
comment on column public.daily_totals.day is 'Day on which the calls began, or on which corrections were booked, UTC.';
comment on column public.daily_totals.calls is 'Settled calls. May be below 0 in one row, where an unpriced call was filled later: add up.';
comment on column public.daily_totals.slot is 'Keeps transactions that write at the same time from waiting for each other. Says nothing: add up all slots.';

comment on table public.daily_labels is
    'Daily labels: sums per day (UTC) of the settled calls of each end user and of each tag, exact at every moment.';
comment on column public.daily_labels.kind is
    'end_user, tag, or tagged: all calls with any tag, each counted once, however many tags it has.';
comment on column public.daily_labels.label is 'The end user, or name=value of the tag; empty where kind is tagged.';
comment on column public.daily_labels.slot is 'As in daily_totals: add up all slots.';

comment on type app.total_entry is 'What one call or one correction adds to the daily totals; see app.totals_add.';
comment on type app.settlement is 'The gateway''s message about the end of a call; see app.settle_calls.';
comment on type app.spend_cell is 'Sums of one day or week and one project, key, model, …; see app.spend_cells.';
