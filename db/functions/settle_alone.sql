-- settle_alone(call) → whether it is settled now: as settle_calls does it, for one call whose row is open
--
-- A gateway with little to do settles call by call, and a sixth of the time of settling one went into what only a batch needs: arrays,
-- and locks in order. False, and nothing is done, where a call may concern another one (it makes or reads an object, waits for one, ran in
-- a container, or other connections to its session report it too), or where no open row has its id: then settle_calls goes its longer way. Part of
-- settle_calls, whose settings hold here too.
create or replace function app.settle_alone(p_call jsonb) returns boolean
language plpgsql
set search_path = ''
as $$
declare
    c app.settlement := jsonb_populate_record(null::app.settlement, p_call);
    v_status text := app.status_unpriced(c.outcome, c.method, c.endpoint);
    v_tokens app.token_counts;
    v_price app.priced_call;
begin
    if c.makes or c.outcome = 'pending' or app.is_sighting(c.method, c.endpoint) or p_call ->> 'seen_as' is not null
       or p_call ? 'containers' then
        return false;
    end if;
    v_tokens := app.tokens_of(case when v_status = 'free' then null else c.usage end);
    if v_status is null then
        v_price := app.price_call(c.endpoint, c.usage, c.tools, coalesce(c.model, c.model_requested) is not null,
            app.known_terms(app.terms_question_of(c.org_id, c.endpoint, c.model, c.model_requested, c.service_tier, c.batch,
                c.usage, c.tools), coalesce(c.started_at, now())));
    end if;
    update public.usage_logs u set  -- the same columns as settle_calls sets, and for the same reasons
        state = 'settled', settled_at = clock_timestamp(), status_code = c.status_code, latency_ms = c.latency_ms,
        ttft_ms = c.ttft_ms, stream = coalesce(c.stream, u.stream), batch = coalesce(c.batch, u.batch),
        model_requested = coalesce(c.model_requested, u.model_requested),
        end_user = coalesce(u.end_user, c.end_user), tags = coalesce(c.tags, '{}') || u.tags,
        model = c.model, service_tier = c.service_tier, usage = c.usage, tools = c.tools,
        tokens_in = v_tokens.tokens_in, tokens_out = v_tokens.tokens_out, tokens_cached = v_tokens.tokens_cached,
        tokens_cache_write = v_tokens.tokens_cache_write, tokens_reasoning = v_tokens.tokens_reasoning,
        tokens_audio_in = v_tokens.tokens_audio_in, tokens_audio_out = v_tokens.tokens_audio_out,
        cost = case when v_status in ('error', 'free') then 0 else v_price.cost end,
        cost_status = coalesce(v_price.cost_status, v_status), cost_lines = v_price.cost_lines,
        upstream_request_id = c.upstream_request_id, upstream_object_id = c.upstream_object_id,
        openai_project = c.openai_project, region = c.region, warning = c.warning
    where u.id = c.id and u.started_at = c.started_at and u.settled_at is null;
    return found;
end $$;

comment on function app.settle_alone is 'Prices and closes one call that concerns no other one; part of settle_calls.';
-- No grant: part of settle_calls.
revoke execute on function app.settle_alone from public, anon, authenticated, service_role;
