-- 0057_equal_ids: B-trees of OpenAI's ids instead of hash indexes (app.calls_by_id)
--
-- To add an entry, a hash index reads all entries with the same value. So a server that gives each answer the same id, as stand-ins
-- for OpenAI do, made each call slower than the one before: settling one of 32 took 95 µs at first and 128 µs after 96,000 calls. A
-- B-tree does not read them: 94 µs. Nulls are left out, because an open call has no id of OpenAI's yet.
-- squawk-ignore require-concurrent-index-deletion -- not possible for a partitioned table
drop index public.usage_logs_object;
-- squawk-ignore require-concurrent-index-deletion -- not possible for a partitioned table
drop index public.usage_logs_request;
-- squawk-ignore require-concurrent-index-creation -- not possible for a partitioned table
create index usage_logs_object on public.usage_logs (upstream_object_id) where upstream_object_id is not null;
-- squawk-ignore require-concurrent-index-creation -- not possible for a partitioned table
create index usage_logs_request on public.usage_logs (upstream_request_id) where upstream_request_id is not null;
