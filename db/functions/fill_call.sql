-- fill_call(...) → whether a settled call without a cost was changed: it got a cost, or another reason for having none
--
-- The change is recorded as a fill, a row of cost_fills. A call that has a cost is never changed, so of the fills of one call
-- only the last can bring the cost. Usage without a single token is not believed of a call that has tokens: it fills nothing.
-- Where p_usage, p_tools, p_model or p_service_tier is null, the call keeps its own. p_reason: for cost_fills.
create or replace function app.fill_call(
    p_id uuid, p_started_at timestamptz, p_cost numeric, p_cost_status text, p_cost_lines jsonb, p_usage jsonb, p_tools jsonb,
    p_model text, p_service_tier text, p_reason text
) returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_old public.usage_logs;
begin
    select u.* into v_old from public.usage_logs u
    where u.id = p_id and u.started_at = p_started_at and u.state = 'settled' and u.cost is null for update;
    if not found or v_old.cost_status = p_cost_status or exists (
        select from app.tokens_of(p_usage) t
        where p_usage is not null and coalesce(t.tokens_in, 0) + coalesce(t.tokens_out, 0) = 0
          and coalesce(v_old.tokens_in, 0) + coalesce(v_old.tokens_out, 0) > 0
    ) then
        return false;
    end if;
    update public.usage_logs u set
        cost = p_cost, cost_status = p_cost_status, cost_lines = p_cost_lines, usage = coalesce(p_usage, u.usage),
        tools = coalesce(p_tools, u.tools), model = coalesce(p_model, u.model),
        service_tier = coalesce(p_service_tier, u.service_tier), tokens_in = coalesce(t.tokens_in, u.tokens_in),
        tokens_out = coalesce(t.tokens_out, u.tokens_out), tokens_cached = coalesce(t.tokens_cached, u.tokens_cached),
        tokens_cache_write = coalesce(t.tokens_cache_write, u.tokens_cache_write),
        tokens_reasoning = coalesce(t.tokens_reasoning, u.tokens_reasoning),
        tokens_audio_in = coalesce(t.tokens_audio_in, u.tokens_audio_in),
        tokens_audio_out = coalesce(t.tokens_audio_out, u.tokens_audio_out),
        region = coalesce(u.region, p_usage ->> 'region')
    from app.tokens_of(p_usage) t
    where u.id = p_id and u.started_at = p_started_at;
    -- The moment of the fill, not of its transaction: a month that was closed in between has frozen its sums without it.
    insert into public.cost_fills (org_id, call_id, call_started_at, old_status, new_status, cost, reason, filled_by, at)
    values (v_old.org_id, p_id, p_started_at, v_old.cost_status, p_cost_status, p_cost, p_reason, auth.uid(), clock_timestamp());
    return true;
end $$;

comment on function app.fill_call is
    'Gives a settled call the cost it lacks, or another reason for lacking it, and records the fill in cost_fills.';
-- No grant: part of fill_objects, fill_batch, settle_closed, settle_seen, call_end, evidence_close and reprice_batch.
revoke execute on function app.fill_call from public, anon, authenticated, service_role;
