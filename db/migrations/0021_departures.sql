-- 0021_departures: find the audit line of a person who left an organization without reading the whole audit log
-- squawk-ignore require-concurrent-index-creation -- reads the audit log once, which is small beside the calls
create index audit_log_departures on public.audit_log (subject_id) where action in ('member.left', 'member.removed');
