-- 0028_work_locks: a row for each work that must not run twice at the same time; whoever does it locks the row
--
-- No advisory locks, because every login of the server could take and keep those.
create table private.work_locks (
    work text primary key
);
alter table private.work_locks enable row level security;
comment on table private.work_locks is 'Work that must not run twice at the same time. Whoever does it locks its row.';
insert into private.work_locks values ('prices sync'), ('prices reprice');
