-- 0023_fills: a call can be filled again, as long as its cost is unknown
--
-- The first fill may only give another reason for a missing cost: a background response of a model without a price. When
-- its price came, the unique index stopped app.reprice for all organizations.
-- squawk-ignore require-concurrent-index-deletion -- one small table, locked for an instant
drop index public.cost_fills_call_id_call_started_at_idx;
-- squawk-ignore require-concurrent-index-creation -- one small table
create index cost_fills_call_id_call_started_at_idx on public.cost_fills (call_id, call_started_at);
