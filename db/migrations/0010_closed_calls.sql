-- 0010_closed_calls: calls whose end nobody saw and that a person closed by hand
create table private.closed_calls (
    call_id uuid not null,
    started_at timestamptz not null,
    org_id uuid not null,
    cost numeric(20, 12),
    reason text not null,
    closed_by uuid,
    at timestamptz not null default clock_timestamp(),
    settled_at timestamptz,
    primary key (call_id, started_at)
);
alter table private.closed_calls enable row level security;
comment on table private.closed_calls is 'Calls closed by hand; should the true end still come, the difference becomes a correction.';
comment on column private.closed_calls.cost is 'US dollars the call was closed with; null when its cost stays unknown.';
comment on column private.closed_calls.closed_by is 'The admin; null for the operator at the terminal.';
comment on column private.closed_calls.settled_at is 'When the true end came after all.';
