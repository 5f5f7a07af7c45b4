-- settle_calls(calls) → for each call: settled, already (it was settled before), conflict (a person had closed it by hand; the
-- difference is booked), missing (it had no row; now it has) or absent (it had no row and the message, that of a call never
-- sent, knows too little to make one)
--
-- Prices what was used and closes the row, once. Each message is complete in itself, so a row that a failover lost is
-- written from it. Rows are locked in the order of their ids: two batches can never wait for each other in a circle.
--
-- An answer that tells of an unfinished object (a background response, a batch) is pending: its cost comes with the first
-- call that sees the object's end, see fill_objects.
--
-- p_calls: [{n, id, started_at, org_id, project_id, api_key_id, upstream, account, endpoint, method, stream, batch,
-- model_requested, model, service_tier, usage, tools, outcome (complete, pending, error or no_usage), status_code, latency_ms,
-- ttft_ms, upstream_request_id, upstream_object_id, end_user, tags, max_seconds}, …]
create or replace function app.settle_calls(p_calls jsonb) returns table (n integer, outcome text)
language plpgsql security definer
set search_path = ''
-- Plans made while the table was small would read all of it later; these point look-ups always go through the index.
set enable_seqscan = off
set plan_cache_mode = force_generic_plan  -- planning over all months for each small batch takes a third of its time
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off  -- before Postgres 18 a switched-off plan counts as dear enough to be compiled: 1.7 s for each batch
as $$
#variable_conflict use_column
declare
    v_closed integer[];
begin
    perform from public.usage_logs u
        join jsonb_to_recordset(p_calls) as c (id uuid, started_at timestamptz) on u.id = c.id and u.started_at = c.started_at
        order by u.id for update of u;

    perform app.fill_objects(p_calls);
    v_closed := app.settle_closed(p_calls);
    return query
    with call as materialized (
        select * from jsonb_to_recordset(p_calls) as c (
            n integer, id uuid, started_at timestamptz, org_id uuid, project_id uuid, api_key_id uuid, upstream text,
            endpoint text, method text, stream boolean, batch boolean, model_requested text, model text, service_tier text,
            usage jsonb, tools jsonb, outcome text, status_code integer, latency_ms integer, ttft_ms integer,
            upstream_request_id text, upstream_object_id text, end_user text, tags jsonb, max_seconds integer)
    ), priced as materialized (
        select c.*, t.*, coalesce(p.cost, case when s.cost_status in ('error', 'free') then 0 end) as cost,
               coalesce(s.cost_status, p.cost_status) as cost_status, p.cost_lines
        from call c
        cross join lateral app.status_unpriced(c.outcome, c.method, c.endpoint) as s (cost_status)
        left join app.price_calls((
            select jsonb_agg(b) from jsonb_array_elements(p_calls) b
            where app.status_unpriced(b ->> 'outcome', b ->> 'method', b ->> 'endpoint') is null
        )) p on p.n = c.n
        -- Looking at an object tells its tokens again; they count where they were used.
        cross join lateral app.tokens_of(case when s.cost_status = 'free' then null else c.usage end) t
    ), settled as (
        update public.usage_logs u set
            state = 'settled', settled_at = clock_timestamp(), status_code = p.status_code, latency_ms = p.latency_ms,
            ttft_ms = p.ttft_ms, stream = coalesce(p.stream, u.stream), batch = coalesce(p.batch, u.batch), model_requested = coalesce(p.model_requested, u.model_requested),
            model = p.model, service_tier = p.service_tier, usage = p.usage, tools = p.tools,
            tokens_in = p.tokens_in, tokens_out = p.tokens_out, tokens_cached = p.tokens_cached,
            tokens_cache_write = p.tokens_cache_write, tokens_reasoning = p.tokens_reasoning,
            tokens_audio_in = p.tokens_audio_in, tokens_audio_out = p.tokens_audio_out,
            cost = p.cost, cost_status = p.cost_status, cost_lines = p.cost_lines,
            upstream_request_id = p.upstream_request_id, upstream_object_id = p.upstream_object_id
        from priced p
        where u.id = p.id and u.started_at = p.started_at and u.state = 'open'
        returning p.n
    ), added as (
        insert into public.usage_logs (
            id, org_id, project_id, api_key_id, started_at, deadline_at, settled_at, state, upstream, endpoint, method, stream, batch,
            status_code, latency_ms, ttft_ms, model_requested, model, service_tier, tokens_in, tokens_out, tokens_cached,
            tokens_cache_write, tokens_reasoning, tokens_audio_in, tokens_audio_out, cost, cost_status, usage, tools, cost_lines,
            upstream_request_id, upstream_object_id, end_user, tags)
        select p.id, p.org_id, p.project_id, p.api_key_id, p.started_at, p.started_at + make_interval(secs => p.max_seconds),
            clock_timestamp(), 'settled', p.upstream, p.endpoint, p.method, p.stream, p.batch, p.status_code, p.latency_ms, p.ttft_ms,
            p.model_requested, p.model, p.service_tier, p.tokens_in, p.tokens_out, p.tokens_cached, p.tokens_cache_write,
            p.tokens_reasoning, p.tokens_audio_in, p.tokens_audio_out, p.cost, p.cost_status, p.usage, p.tools, p.cost_lines,
            p.upstream_request_id, p.upstream_object_id, p.end_user, coalesce(p.tags, '{}')
        from priced p
        where p.org_id is not null and not exists (select from public.usage_logs u where u.id = p.id and u.started_at = p.started_at)
        on conflict do nothing
        returning id
    )
    select p.n, case
        when s.n is not null then 'settled'
        when p.n = any(v_closed) then 'conflict'
        when a.id is not null then 'missing'
        when p.org_id is null
            and not exists (select from public.usage_logs u where u.id = p.id and u.started_at = p.started_at) then 'absent'
        else 'already' end
    from priced p left join settled s on s.n = p.n left join added a on a.id = p.id;
end $$;

comment on function app.settle_calls is 'Prices and closes a batch of calls, each exactly once; one row back per call.';
revoke execute on function app.settle_calls from public, anon, authenticated, service_role;
grant execute on function app.settle_calls to spendai_proxy;
