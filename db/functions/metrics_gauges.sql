-- metrics_gauges() → numbers of the whole installation for /metrics; none of them names an organization, key or model
--
-- name: unpriced_calls, calls_in_doubt, database_bytes, or month_bytes (one row for each month up to this one that has a
-- partition of usage_logs; month is like 2026-11 there, else null). Unpriced calls are those of seven days, found by the key of
-- daily_totals in each organization: the table as a whole may be large.
create or replace function app.metrics_gauges() returns table (name text, month text, value bigint)
language sql stable security definer
set search_path = ''
as $$
    select 'unpriced_calls', null, coalesce(sum(t.calls), 0)::bigint
    from public.organizations o
    cross join lateral (
        select sum(d.calls) as calls from public.daily_totals d
        where d.org_id = o.id and d.day >= (now() at time zone 'utc')::date - 6 and d.upstream = 'openai'
            and d.cost_status in ('unpriced_model', 'unpriced_dimension')
    ) t
    union all
    select 'calls_in_doubt', null, count(*)
    from public.usage_logs u
    where u.state = 'open' and u.deadline_at < now() and u.upstream = 'openai'
    union all
    select 'database_bytes', null, pg_database_size(current_database())
    union all
    select 'month_bytes', m.month, coalesce(pg_total_relation_size(m.oid), 0)
    from (
        select c.oid, replace(right(c.relname, 7), '_', '-') as month
        from pg_catalog.pg_inherits i
        join pg_catalog.pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'public.usage_logs'::regclass
    ) m
    where m.month <= to_char(now() at time zone 'utc', 'YYYY-MM')
$$;

comment on function app.metrics_gauges is 'Unpriced calls, calls in doubt and sizes of the whole installation, for /metrics.';
revoke execute on function app.metrics_gauges from public, anon, authenticated, service_role;
grant execute on function app.metrics_gauges to spendai_proxy;
