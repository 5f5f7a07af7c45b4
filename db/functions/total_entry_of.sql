-- total_entry_of(call, factor) → what a settled call adds to the totals of its day and of its hour; what is not known adds 0
--
-- p_calls: 1 adds the call, -1 subtracts it. 0 adds nothing, but says which rows of the totals are the call's: its corrections
-- go there.
create or replace function app.total_entry_of(p_call public.usage_logs, p_calls integer) returns app.total_entry
language plpgsql immutable
set search_path = ''
as $$
declare
    v_kinds record := app.cost_kinds(p_call.cost, p_call.cost_lines, p_call.tokens_reasoning);
begin
    return row(
        p_call.org_id, (p_call.started_at at time zone 'utc')::date, p_call.project_id, p_call.api_key_id,
        coalesce(p_call.model, p_call.model_requested, ''), p_call.endpoint, coalesce(p_call.service_tier, ''),
        coalesce(p_call.status_code, 0), p_call.cost_status, p_call.upstream, p_call.end_user, p_call.tags, p_calls,
        p_calls * coalesce(p_call.tokens_in, 0), p_calls * coalesce(p_call.tokens_cached, 0),
        p_calls * coalesce(p_call.tokens_cache_write, 0), p_calls * coalesce(p_call.tokens_out, 0),
        p_calls * coalesce(p_call.tokens_reasoning, 0), p_calls * coalesce(p_call.tokens_audio_in, 0),
        p_calls * coalesce(p_call.tokens_audio_out, 0), p_calls * coalesce(p_call.cost, 0), 0::numeric, 0::numeric,
        date_bin('1 hour', p_call.started_at, '2000-01-01 00:00+00'), p_calls * v_kinds.cost_input,
        p_calls * v_kinds.cost_cached, p_calls * v_kinds.cost_cache_write, p_calls * v_kinds.cost_output,
        p_calls * v_kinds.cost_reasoning, p_calls * v_kinds.cost_audio, p_calls * v_kinds.cost_image,
        p_calls * v_kinds.cost_tools, p_calls * v_kinds.cost_region);
end $$;

comment on function app.total_entry_of is
    'What a settled call adds to (1), or subtracts from (-1), the totals of its day and hour.';
-- No grant: part of the triggers that keep the totals.
revoke execute on function app.total_entry_of from public, anon, authenticated, service_role;
