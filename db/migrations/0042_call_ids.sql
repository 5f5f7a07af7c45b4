-- 0042_call_ids: calls by the ids that OpenAI gave them (app.calls_by_id)
--
-- Hash indexes: only whole ids are looked up, and 10 million calls take about 300 MB for each index instead of 600.
-- squawk-ignore require-concurrent-index-creation -- not possible for a partitioned table
create index usage_logs_object on public.usage_logs using hash (upstream_object_id);
-- squawk-ignore require-concurrent-index-creation -- not possible for a partitioned table
create index usage_logs_request on public.usage_logs using hash (upstream_request_id);
