-- count_refusals(batches) → the number of each batch; adds refused calls to key_refusals, on the current day
--
-- Each gateway process sends what it has counted every few seconds, so that refused calls write at most one row per key each
-- time. Keys that this install does not know are left out: nobody can make rows with invented keys.
--
-- p_batches: [{n, calls: {key_hash (hex): number of calls}}, …]
create or replace function app.count_refusals(p_batches jsonb) returns table (n integer)
language sql security definer
set search_path = ''
set enable_seqscan = off  -- plans are kept: whatever the size of a table was, its rows are found one by one, by an index
set cpu_index_tuple_cost = 1  -- and never by reading an index from end to end, which is cheap only while it is empty
set enable_hashjoin = off
set enable_mergejoin = off
set enable_material = off
set jit = off  -- see settle_calls
as $$
    insert into public.key_refusals as r (org_id, api_key_id, day, calls)
    select k.org_id, k.id, (now() at time zone 'utc')::date, sum(c.value::bigint)
    from jsonb_to_recordset(p_batches) as b (n integer, calls jsonb)
    cross join jsonb_each_text(b.calls) as c
    join public.api_keys k on k.key_hash = decode(c.key, 'hex')
    group by k.org_id, k.id
    order by k.id  -- the same order in every gateway: no deadlocks
    on conflict (api_key_id, day) do update set calls = r.calls + excluded.calls;
    select b.n from jsonb_to_recordset(p_batches) as b (n integer)
$$;

comment on function app.count_refusals is 'Adds to how many calls of each known proxy key were refused today.';
revoke execute on function app.count_refusals from public, anon, authenticated, service_role;
grant execute on function app.count_refusals to spendai_proxy;
