-- The least that a ledger like ours reads and writes for calls, with nothing computed: bench.least_open looks keys up as app.open_calls
-- does and inserts the rows; bench.least_settle updates them and adds to two sums, with a cost and counts that are constants. The tables
-- have the columns and indexes of ours, but no triggers, checks or partitions. The functions take what ours take and answer in the same shape.
create schema bench;
grant usage on schema bench to spendai_proxy;
create table bench.floor (id uuid primary key, body text);  -- of the line `C, two commits of a small row`

create table bench.usage_logs (like public.usage_logs including defaults including indexes);
create table bench.daily_totals (like public.daily_totals including defaults including indexes);
create table bench.hourly_totals (like public.hourly_totals including defaults including indexes);

create function bench.least_open(p_calls jsonb, p_install_key text, p_install_fingerprint bytea)
returns table (
    n integer, outcome text, org_id uuid, project_id uuid, api_key_id uuid, upstream text,
    provider_key bytea, provider_project_id uuid, base_url text, account text, shared boolean, provider_key_id uuid,
    metadata_tags boolean
)
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
#variable_conflict use_column
begin
    return query
    with call as materialized (
        select c.*, k.id as key_id, k.org_id as key_org_id, k.project_id as key_project_id, k.revoked_at, k.expires_at, p.archived_at, o.books
        from jsonb_populate_recordset(null::app.opening, p_calls) c
        join public.api_keys k on k.key_hash = decode(c.key_hash, 'hex')
        join public.projects p on p.id = k.project_id
        join public.organizations o on o.id = k.org_id
    ), opened as (
        insert into bench.usage_logs (id, org_id, project_id, api_key_id, started_at, deadline_at, state, upstream, endpoint, method, stream,
                                      batch, model_requested, tags)
        select c.id, c.key_org_id, c.key_project_id, c.key_id, c.started_at, c.started_at, 'open', 'openai', c.endpoint, c.method, c.stream,
            false, c.model, '{}'
        from call c
    )
    select c.n, 'opened', c.key_org_id, c.key_project_id, c.key_id, 'openai', null::bytea, null::uuid, null::text, 'install', false,
        null::uuid, false
    from call c;
end $$;

create function bench.least_settle(p_calls jsonb) returns table (n integer, outcome text)
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
#variable_conflict use_column
begin
    return query
    with call as materialized (
        select c.* from jsonb_populate_recordset(null::app.settlement, p_calls) c
    ), settled as (
        update bench.usage_logs u set
            state = 'settled', settled_at = clock_timestamp(), status_code = c.status_code, latency_ms = c.latency_ms, model = c.model,
            usage = c.usage, tokens_in = 1200, tokens_out = 300, cost = 0.001, cost_status = 'priced', cost_lines = c.usage,
            upstream_request_id = c.upstream_request_id, upstream_object_id = c.upstream_object_id
        from call c
        where u.id = c.id and u.started_at = c.started_at
    ), entry as (
        select c.org_id, date_trunc('hour', c.started_at) as hour, c.project_id, c.api_key_id, c.model, c.endpoint, count(*) as calls
        from call c
        group by 1, 2, 3, 4, 5, 6
    ), daily as (
        insert into bench.daily_totals as t (org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status,
            upstream, slot, calls, tokens_in, tokens_out, cost)
        select e.org_id, e.hour::date, e.project_id, e.api_key_id, e.model, e.endpoint, '', 200, 'priced', 'openai', pg_backend_pid(),
            e.calls, 1200 * e.calls, 300 * e.calls, 0.001 * e.calls
        from entry e
        on conflict (org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot)
        do update set calls = t.calls + excluded.calls, tokens_in = t.tokens_in + excluded.tokens_in,
            tokens_out = t.tokens_out + excluded.tokens_out, cost = t.cost + excluded.cost
    ), hourly as (
        insert into bench.hourly_totals as t (org_id, hour, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status,
            upstream, slot, calls, tokens_in, tokens_out, cost)
        select e.org_id, e.hour, e.project_id, e.api_key_id, e.model, e.endpoint, '', 200, 'priced', 'openai', pg_backend_pid(),
            e.calls, 1200 * e.calls, 300 * e.calls, 0.001 * e.calls
        from entry e
        on conflict (org_id, hour, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot)
        do update set calls = t.calls + excluded.calls, tokens_in = t.tokens_in + excluded.tokens_in,
            tokens_out = t.tokens_out + excluded.tokens_out, cost = t.cost + excluded.cost
    )
    select c.n, 'settled' from call c;
end $$;

grant execute on all functions in schema bench to spendai_proxy;
