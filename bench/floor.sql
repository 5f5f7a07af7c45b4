-- The least that a ledger like ours reads and writes for a call, with nothing computed: bench.least_open looks the key up as app.open_calls
-- does and inserts the row; bench.least_settle updates the row and adds to two sums, with a cost and counts that are constants. The tables
-- have the columns and indexes of ours, but no triggers, checks or partitions.
create schema bench;
create table bench.floor (id uuid primary key, body text);  -- the one small row of the line above it

create table bench.usage_logs (like public.usage_logs including defaults including indexes);
create table bench.daily_totals (like public.daily_totals including defaults including indexes);
create table bench.hourly_totals (like public.hourly_totals including defaults including indexes);

create function bench.least_open(p_calls jsonb) returns void
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
    c app.opening := jsonb_populate_record(null::app.opening, p_calls -> 0);
    v_key record;
begin
    select k.id, k.org_id, k.project_id, k.revoked_at, k.expires_at, p.archived_at, o.books into v_key
    from public.api_keys k join public.projects p on p.id = k.project_id join public.organizations o on o.id = k.org_id
    where k.key_hash = decode(c.key_hash, 'hex');
    insert into bench.usage_logs (id, org_id, project_id, api_key_id, started_at, deadline_at, state, upstream, endpoint, method, stream,
                                  batch, model_requested, tags)
    values (c.id, v_key.org_id, v_key.project_id, v_key.id, c.started_at, c.started_at, 'open', 'openai', c.endpoint, c.method, c.stream,
            false, c.model, '{}');
end $$;

create function bench.least_settle(p_calls jsonb) returns void
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
    c app.settlement := jsonb_populate_record(null::app.settlement, p_calls -> 0);
begin
    update bench.usage_logs u set
        state = 'settled', settled_at = clock_timestamp(), status_code = c.status_code, latency_ms = c.latency_ms, model = c.model,
        usage = c.usage, tokens_in = 1200, tokens_out = 300, cost = 0.001, cost_status = 'priced', cost_lines = c.usage,
        upstream_request_id = c.upstream_request_id, upstream_object_id = c.upstream_object_id
    where u.id = c.id and u.started_at = c.started_at;
    insert into bench.daily_totals as t (org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status,
        upstream, slot, calls, tokens_in, tokens_out, cost)
    values (c.org_id, c.started_at::date, c.project_id, c.api_key_id, c.model, c.endpoint, '', 200, 'priced', 'openai', 1, 1, 1200, 300, 0.001)
    on conflict (org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot)
    do update set calls = t.calls + 1, tokens_in = t.tokens_in + 1200, tokens_out = t.tokens_out + 300, cost = t.cost + 0.001;
    insert into bench.hourly_totals as t (org_id, hour, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status,
        upstream, slot, calls, tokens_in, tokens_out, cost)
    values (c.org_id, date_trunc('hour', c.started_at), c.project_id, c.api_key_id, c.model, c.endpoint, '', 200, 'priced', 'openai', 1,
            1, 1200, 300, 0.001)
    on conflict (org_id, hour, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot)
    do update set calls = t.calls + 1, tokens_in = t.tokens_in + 1200, tokens_out = t.tokens_out + 300, cost = t.cost + 0.001;
end $$;
