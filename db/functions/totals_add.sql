-- totals_add(entries): adds calls and corrections to the totals and labels of their day and of their hour
--
-- Each transaction adds to rows of its own, its slot, so that none waits for another. There are 64 slots for the gateways and 64
-- others for everyone else. A transaction takes a slot by an advisory lock, but never waits for one: it tries the next slot,
-- also where an analyst's session holds such a lock. Should all be taken, it shares one. Rows are written in the order of
-- their key, so that two transactions that share a slot, of one statement each, never wait for each other in a circle.
create or replace function app.totals_add(p_entries app.total_entry[]) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_base integer := case when session_user = 'spendai_proxy' then 0 else 64 end;
    v_slot integer := v_base + pg_backend_pid() % 64;
    v_hours app.total_entry[] := p_entries;
    v_days app.total_entry[];
    v_labels boolean := p_entries[1].end_user is not null or p_entries[1].tags <> '{}';
begin
    for v_try in 0..63 loop
        if pg_try_advisory_xact_lock(7263411, v_base + (pg_backend_pid() + v_try) % 64) then
            v_slot := v_base + (pg_backend_pid() + v_try) % 64;
            exit;
        end if;
    end loop;
    -- Most often there is one entry, or all are of one hour: starting a query that adds up takes longer than all that it adds.
    if cardinality(v_hours) > 1 then
        v_hours := app.entries_added(v_hours, true);
    end if;
    v_days := v_hours;
    if cardinality(v_hours) > 1 and exists (select from unnest(v_hours) e where e.hour <> v_hours[1].hour) then
        v_days := app.entries_added(v_hours, false);
    end if;
    insert into public.daily_totals as t (
        org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot, calls,
        tokens_in, tokens_cached, tokens_cache_write, tokens_out, tokens_reasoning, tokens_audio_in, tokens_audio_out, cost,
        adjustments, corrections, cost_input, cost_cached, cost_cache_write, cost_output, cost_reasoning, cost_audio,
        cost_image, cost_tools, cost_region)
    select e.org_id, e.day, e.project_id, e.api_key_id, e.model, e.endpoint, e.service_tier, e.status_code, e.cost_status,
        e.upstream, v_slot, e.calls, e.tokens_in, e.tokens_cached, e.tokens_cache_write, e.tokens_out, e.tokens_reasoning,
        e.tokens_audio_in, e.tokens_audio_out, e.cost, e.adjustment, e.correction, e.cost_input, e.cost_cached,
        e.cost_cache_write, e.cost_output, e.cost_reasoning, e.cost_audio, e.cost_image, e.cost_tools, e.cost_region
    from unnest(v_days) e
    on conflict (org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot)
    do update set
        calls = t.calls + excluded.calls, tokens_in = t.tokens_in + excluded.tokens_in,
        tokens_cached = t.tokens_cached + excluded.tokens_cached,
        tokens_cache_write = t.tokens_cache_write + excluded.tokens_cache_write,
        tokens_out = t.tokens_out + excluded.tokens_out, tokens_reasoning = t.tokens_reasoning + excluded.tokens_reasoning,
        tokens_audio_in = t.tokens_audio_in + excluded.tokens_audio_in,
        tokens_audio_out = t.tokens_audio_out + excluded.tokens_audio_out, cost = t.cost + excluded.cost,
        adjustments = t.adjustments + excluded.adjustments, corrections = t.corrections + excluded.corrections,
        cost_input = t.cost_input + excluded.cost_input, cost_cached = t.cost_cached + excluded.cost_cached,
        cost_cache_write = t.cost_cache_write + excluded.cost_cache_write, cost_output = t.cost_output + excluded.cost_output,
        cost_reasoning = t.cost_reasoning + excluded.cost_reasoning, cost_audio = t.cost_audio + excluded.cost_audio,
        cost_image = t.cost_image + excluded.cost_image, cost_tools = t.cost_tools + excluded.cost_tools,
        cost_region = t.cost_region + excluded.cost_region;
    insert into public.hourly_totals as t (
        org_id, hour, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot, calls,
        tokens_in, tokens_cached, tokens_cache_write, tokens_out, tokens_reasoning, tokens_audio_in, tokens_audio_out, cost,
        adjustments, corrections, cost_input, cost_cached, cost_cache_write, cost_output, cost_reasoning, cost_audio,
        cost_image, cost_tools, cost_region)
    select e.org_id, e.hour, e.project_id, e.api_key_id, e.model, e.endpoint, e.service_tier, e.status_code, e.cost_status,
        e.upstream, v_slot, e.calls, e.tokens_in, e.tokens_cached, e.tokens_cache_write, e.tokens_out, e.tokens_reasoning,
        e.tokens_audio_in, e.tokens_audio_out, e.cost, e.adjustment, e.correction, e.cost_input, e.cost_cached,
        e.cost_cache_write, e.cost_output, e.cost_reasoning, e.cost_audio, e.cost_image, e.cost_tools, e.cost_region
    from unnest(v_hours) e
    on conflict (org_id, hour, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot)
    do update set
        calls = t.calls + excluded.calls, tokens_in = t.tokens_in + excluded.tokens_in,
        tokens_cached = t.tokens_cached + excluded.tokens_cached,
        tokens_cache_write = t.tokens_cache_write + excluded.tokens_cache_write,
        tokens_out = t.tokens_out + excluded.tokens_out, tokens_reasoning = t.tokens_reasoning + excluded.tokens_reasoning,
        tokens_audio_in = t.tokens_audio_in + excluded.tokens_audio_in,
        tokens_audio_out = t.tokens_audio_out + excluded.tokens_audio_out, cost = t.cost + excluded.cost,
        adjustments = t.adjustments + excluded.adjustments, corrections = t.corrections + excluded.corrections,
        cost_input = t.cost_input + excluded.cost_input, cost_cached = t.cost_cached + excluded.cost_cached,
        cost_cache_write = t.cost_cache_write + excluded.cost_cache_write, cost_output = t.cost_output + excluded.cost_output,
        cost_reasoning = t.cost_reasoning + excluded.cost_reasoning, cost_audio = t.cost_audio + excluded.cost_audio,
        cost_image = t.cost_image + excluded.cost_image, cost_tools = t.cost_tools + excluded.cost_tools,
        cost_region = t.cost_region + excluded.cost_region;

    if not v_labels and cardinality(p_entries) > 1 then
        v_labels := exists (select from unnest(p_entries) e where e.end_user is not null or e.tags <> '{}');
    end if;
    if v_labels then
        perform app.labels_add(p_entries, v_slot);
    end if;
end $$;

comment on function app.totals_add is
    'Adds calls and corrections to the daily and hourly totals and labels, in a slot of this transaction.';
-- No grant: part of the triggers of usage_logs and cost_adjustments.
revoke execute on function app.totals_add from public, anon, authenticated, service_role;
