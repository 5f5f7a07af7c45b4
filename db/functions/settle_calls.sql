-- settle_calls(calls) → what became of each call
--
--   settled: its row was open and is now settled
--   already: it was settled before
--   missing: it had no row, because a failover lost it; now it has one, written from the message
--   absent: it has no row and gets none, because its message names no organization: the call was never sent upstream
--   unknown: it has no row and gets none, because its organization is not in this database: the message may belong to another one
--   conflict: a person had closed it by hand before; the difference was booked (see settle_closed)
--
-- Prices what was used and settles each row exactly once. A call whose answer names an unfinished object (a background response, a
-- batch) settles as pending_object, without a cost: the first call that sees the finished object fills it in (see fill_objects).
--
-- p_calls: [{n, id, started_at, org_id, project_id, api_key_id, upstream, account, endpoint, method, stream, batch,
-- model_requested, model, service_tier, usage, tools, outcome (complete, pending, error or no_usage), status_code, latency_ms,
-- ttft_ms, upstream_request_id, upstream_object_id, makes, end_user, tags, max_seconds, provider_key_id, openai_project, region,
-- session_id, warning, seen_as, side}, …]; see fill_objects for makes, settle_seen for seen_as. Older gateways lack the last seven.
-- containers, of a call that ran in some, is for settle_containers.
-- output_file_id, of a call that reads a batch, and listed, of one that reads a list of objects or the output file of a batch, are
-- for fill_objects: listed is [{upstream_object_id, model, service_tier, usage, tools, output_file_id}, …].
create or replace function app.settle_calls(p_calls jsonb) returns table (n integer, outcome text)
language plpgsql security definer
set search_path = ''
-- Plans are kept, and one made for a small table would read all of a large one. So no plan may scan: rows are found by index.
set enable_seqscan = off
set cpu_index_tuple_cost = 1  -- and never by reading an index from end to end, which is cheap only while it is empty
set plan_cache_mode = force_generic_plan  -- planning again for each batch would take longer than running it
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off  -- before Postgres 18 the settings above make each plan look so expensive that it is compiled: 1.7 s for each batch
as $$
#variable_conflict use_column
declare
    v_calls app.settlement[];
    v_call app.settlement;
    v_status text;
    v_statuses text[] := '{}';  -- of each call: the cost status that its outcome or endpoint alone says, or null
    v_used app.settlement[] := '{}';  -- of each call: itself, or null when it is not priced by its usage
    v_prices app.priced_call[];
    v_tokens app.token_counts[] := '{}';
    v_objects boolean := false;  -- whether a call may make, or see the end of, an object that outlives its call
    -- Ids and period of the batch. Repeated beside each join, so that the kept plan reads only their months, and only by id.
    v_ids uuid[] := '{}';
    v_first timestamptz;
    v_last timestamptz;
    v_missing uuid[] := '{}';
    v_closed integer[] := '{}';  -- n of the calls that a person had closed by hand
    v_settled integer[] := '{}';
begin
    if jsonb_array_length(p_calls) = 1 and app.settle_alone(p_calls -> 0) then
        n := (p_calls -> 0 -> 'n')::integer;
        outcome := 'settled';
        return next;
        return;
    end if;
    if p_calls @? '$[*].seen_as' or p_calls @? '$[*].containers' then
        p_calls := app.settle_containers(app.settle_seen(p_calls));
    end if;
    v_calls := array(select c from jsonb_populate_recordset(null::app.settlement, p_calls) c order by c.id);
    foreach v_call in array v_calls loop  -- expressions without a query cost least
        v_status := app.status_unpriced(v_call.outcome, v_call.method, v_call.endpoint);
        v_statuses := v_statuses || v_status;
        v_used := v_used || case when v_status is null then v_call end;
        -- A GET of an object repeats the usage of the call that made it: the tokens count for that call only.
        v_tokens := v_tokens || app.tokens_of(case when v_status = 'free' then null else v_call.usage end);
        v_objects := v_objects or coalesce(v_call.makes, false) or coalesce(v_call.outcome = 'pending', false)
            or coalesce(app.is_sighting(v_call.method, v_call.endpoint), false);
        v_ids := v_ids || v_call.id;
        v_first := least(v_first, v_call.started_at);
        v_last := greatest(v_last, v_call.started_at);
    end loop;
    v_prices := app.price_calls(v_used);
    v_missing := app.settle_missing(v_calls, v_ids, v_first, v_last);
    with settled as (
        update public.usage_logs u set
            state = 'settled', settled_at = clock_timestamp(), status_code = p.status_code, latency_ms = p.latency_ms,
            ttft_ms = p.ttft_ms, stream = coalesce(p.stream, u.stream), batch = coalesce(p.batch, u.batch),
            model_requested = coalesce(p.model_requested, u.model_requested),
            -- A request whose body is a form is read after its row is opened, and metadata becomes tags only now.
            end_user = coalesce(u.end_user, p.end_user), tags = coalesce(p.tags, '{}') || u.tags,
            model = p.model, service_tier = p.service_tier, usage = p.usage, tools = p.tools,
            tokens_in = p.tokens_in, tokens_out = p.tokens_out, tokens_cached = p.tokens_cached,
            tokens_cache_write = p.tokens_cache_write, tokens_reasoning = p.tokens_reasoning,
            tokens_audio_in = p.tokens_audio_in, tokens_audio_out = p.tokens_audio_out,
            cost = case when p.status in ('error', 'free') then 0 else p.cost end,
            cost_status = coalesce(p.cost_status, p.status), cost_lines = p.cost_lines,
            upstream_request_id = p.upstream_request_id, upstream_object_id = p.upstream_object_id,
            openai_project = p.openai_project, region = p.region, warning = p.warning
        from rows from (unnest(v_statuses), unnest(v_calls), unnest(v_prices), unnest(v_tokens)) as p (status)
        where u.id = p.id and u.started_at = p.started_at and u.settled_at is null
          and u.id = any (v_ids) and u.started_at between v_first and v_last
        returning p.n
    )
    select coalesce(array_agg(s.n), '{}') into v_settled from settled s;
    if v_objects then  -- now that the calls of this batch that made objects are settled: only such a call can be filled
        perform app.fill_objects(p_calls);
    end if;

    if cardinality(v_settled) < cardinality(v_calls) then
        v_closed := app.settle_closed(p_calls);
    end if;
    foreach v_call in array v_calls loop
        n := v_call.n;
        outcome := case
            when n = any (v_settled) then case when v_call.id = any (v_missing) then 'missing' else 'settled' end
            when n = any (v_closed) then 'conflict'
            when v_call.org_id is null then 'absent'
            else 'already' end;
        if outcome = 'absent' and exists (
            select from public.usage_logs u where u.id = v_call.id and u.started_at = v_call.started_at) then
            outcome := 'already';
        elsif outcome = 'already' and not exists (select from public.organizations o where o.id = v_call.org_id) then
            outcome := 'unknown';
        end if;
        return next;
    end loop;
end $$;

comment on function app.settle_calls is 'Prices and closes a batch of calls, each exactly once; one row back per call.';
revoke execute on function app.settle_calls from public, anon, authenticated, service_role;
grant execute on function app.settle_calls to spendai_proxy;
