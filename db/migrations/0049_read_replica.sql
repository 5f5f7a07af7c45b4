-- 0049_read_replica: up to where a read replica must have replayed before it may answer somebody who changed something
create table private.last_changes (
    user_id uuid primary key references auth.users (id) on delete cascade,
    wal_position pg_lsn not null,
    changed_at timestamptz not null
);
alter table private.last_changes enable row level security;
comment on table private.last_changes is
    'Position of the write-ahead log after each person''s last change, kept only where DATABASE_URL_READ is set.';
