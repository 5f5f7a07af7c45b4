-- 0046_archived_months: which archive holds the calls of a dropped month
alter table private.dropped_months add column archive_hash text;
comment on column private.dropped_months.archive_hash is
    'Hash in the manifest of the archive that was written before; null: dropped without one.';
-- squawk-ignore ban-drop-function -- for the operator alone: flask retention is replaced along with it
drop function if exists app.retention_drop(date, text);
