-- 0027_price_freshness: when the price list was shipped, synchronised and used to price calls again
--
-- The functions of one source give way to those that compare two; the files of db/functions make the new ones.
-- squawk-ignore ban-drop-function -- called by `flask prices sync` only
drop function if exists app.price_sync(text, jsonb, jsonb, boolean);
-- squawk-ignore ban-drop-function -- a part of the function before
drop function if exists app.price_sync_apply(text, jsonb, jsonb);

-- The table has one row for each of these events, so checking all rows takes no time.
alter table private.price_sync_runs
    add column kind text not null default 'sync',
    add column as_of date,
    -- squawk-ignore constraint-missing-not-valid
    add constraint price_sync_runs_kind_check check (kind in ('sync', 'shipped', 'reprice')),
    -- squawk-ignore constraint-missing-not-valid
    add constraint price_sync_runs_as_of_check check ((as_of is not null) = (kind = 'shipped'));
comment on table private.price_sync_runs is
    'What happened to the price list as a whole: each sync with its sources, each shipped list, each reprice of what new rows affect.';
comment on column private.price_sync_runs.kind is
    'sync: `flask prices sync`. shipped: `flask migrate` loaded the list of db/prices. reprice: `flask prices reprice-new --yes`.';
comment on column private.price_sync_runs.as_of is 'shipped: the day on which the shipped list was compared with its sources.';
comment on column private.price_sync_runs.source is 'Where the prices came from, with versions; reprice: the reason that was given.';
comment on column private.price_sync_runs.counts is
    'How many price rows each kind of difference has; sync: also how many prices both sources have (compared) and agree on (agreed).';
comment on column private.price_sync_runs.difference is
    'sync: all rows that were not equal, with the old and the new price; else empty.';
