-- 0044_call_ids: calls by the ids that OpenAI gave them (app.calls_by_id)
--
-- Hash indexes, because only whole ids are looked up: each takes about 42 bytes for a call, however long its ids are.
-- squawk-ignore require-concurrent-index-creation -- not possible for a partitioned table
create index usage_logs_object on public.usage_logs using hash (upstream_object_id);
-- squawk-ignore require-concurrent-index-creation -- not possible for a partitioned table
create index usage_logs_request on public.usage_logs using hash (upstream_request_id);
