-- 0016_retention: months whose calls were dropped; their sums per day stay
create table private.dropped_months (
    month date primary key,
    calls bigint not null,
    reason text not null,
    dropped_at timestamptz not null default clock_timestamp()
);
alter table private.dropped_months enable row level security;
comment on table private.dropped_months is 'Months of usage_logs that were dropped with flask retention.';
comment on column private.dropped_months.month is 'Its first day.';
comment on column private.dropped_months.calls is 'How many calls it had, of all organizations.';
