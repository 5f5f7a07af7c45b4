-- 0006_corrections: corrections looked up by the call they are for, and what each look at the price source found
-- The table has a row per correction, so this takes no time; and migrations run in one transaction.
-- squawk-ignore require-concurrent-index-creation
create index on public.cost_adjustments (org_id, call_started_at);

create table private.price_sync_runs (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    source text not null check (length(source) between 1 and 200),
    counts jsonb not null,
    difference jsonb not null
);
alter table private.price_sync_runs enable row level security;
comment on table private.price_sync_runs is 'Every `flask prices sync`: what it read, how many rows it added, and every difference it found.';
comment on column private.price_sync_runs.source is 'Where the prices came from, with its version.';
comment on column private.price_sync_runs.counts is 'How many price rows were equal, changed, new, kept, missing.';
comment on column private.price_sync_runs.difference is 'All rows that were not equal, with the old and the new price.';

create trigger append_only before update or delete on private.price_sync_runs
    for each row execute function private.refuse_change();
create trigger append_only_truncate before truncate on private.price_sync_runs
    for each statement execute function private.refuse_change();
