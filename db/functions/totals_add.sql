-- totals_add(entries): adds calls and corrections to the daily totals and daily labels
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
begin
    for v_try in 0..63 loop
        if pg_try_advisory_xact_lock(7263411, v_base + (pg_backend_pid() + v_try) % 64) then
            v_slot := v_base + (pg_backend_pid() + v_try) % 64;
            exit;
        end if;
    end loop;
    insert into public.daily_totals as t (
        org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot,
        calls, tokens_in, tokens_cached, tokens_cache_write, tokens_out, tokens_reasoning, tokens_audio_in, tokens_audio_out,
        cost, adjustments, corrections)
    select e.org_id, e.day, e.project_id, e.api_key_id, e.model, e.endpoint, e.service_tier, e.status_code, e.cost_status,
        e.upstream, v_slot, sum(e.calls), coalesce(sum(e.tokens_in), 0), coalesce(sum(e.tokens_cached), 0),
        coalesce(sum(e.tokens_cache_write), 0), coalesce(sum(e.tokens_out), 0), coalesce(sum(e.tokens_reasoning), 0),
        coalesce(sum(e.tokens_audio_in), 0), coalesce(sum(e.tokens_audio_out), 0),
        coalesce(sum(e.cost), 0), coalesce(sum(e.adjustment), 0), coalesce(sum(e.correction), 0)
    from unnest(p_entries) e
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    on conflict (org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot)
    do update set calls = t.calls + excluded.calls, tokens_in = t.tokens_in + excluded.tokens_in,
        tokens_cached = t.tokens_cached + excluded.tokens_cached,
        tokens_cache_write = t.tokens_cache_write + excluded.tokens_cache_write,
        tokens_out = t.tokens_out + excluded.tokens_out, tokens_reasoning = t.tokens_reasoning + excluded.tokens_reasoning,
        tokens_audio_in = t.tokens_audio_in + excluded.tokens_audio_in,
        tokens_audio_out = t.tokens_audio_out + excluded.tokens_audio_out, cost = t.cost + excluded.cost,
        adjustments = t.adjustments + excluded.adjustments, corrections = t.corrections + excluded.corrections;

    if not exists (select from unnest(p_entries) e where e.end_user is not null or e.tags <> '{}') then
        return;
    end if;
    insert into public.daily_labels as t (
        org_id, kind, day, label, project_id, api_key_id, upstream, slot, calls, tokens_in, tokens_cached, tokens_out,
        cost, unpriced_calls, no_usage_calls, error_calls, adjustments, corrections)
    select e.org_id, l.kind, e.day, coalesce(b.counted_as, l.label), e.project_id, e.api_key_id, e.upstream, v_slot, sum(e.calls),
        coalesce(sum(e.tokens_in), 0), coalesce(sum(e.tokens_cached), 0), coalesce(sum(e.tokens_out), 0), coalesce(sum(e.cost), 0),
        coalesce(sum(e.calls) filter (where e.cost_status in ('unpriced_model', 'unpriced_dimension')), 0),
        coalesce(sum(e.calls) filter (where e.cost_status in ('no_usage', 'pending_object')), 0),
        coalesce(sum(e.calls) filter (where e.status_code >= 400), 0),
        coalesce(sum(e.adjustment), 0), coalesce(sum(e.correction), 0)
    from unnest(p_entries) e
    cross join lateral (
        select 'end_user' as kind, e.end_user as label where e.end_user is not null
        union all
        select 'tagged', '' where e.tags <> '{}'
        union all
        select 'tag', x.key || '=' || x.value from jsonb_each_text(e.tags) x
    ) l
    left join app.labels_beyond(p_entries, v_slot) b
        on b.org_id = e.org_id and b.day = e.day and b.kind = l.kind and b.label = l.label
    group by 1, 2, 3, 4, 5, 6, 7
    order by 1, 2, 3, 4, 5, 6, 7
    on conflict (org_id, kind, day, label, project_id, api_key_id, upstream, slot)
    do update set calls = t.calls + excluded.calls, tokens_in = t.tokens_in + excluded.tokens_in,
        tokens_cached = t.tokens_cached + excluded.tokens_cached, tokens_out = t.tokens_out + excluded.tokens_out,
        cost = t.cost + excluded.cost, unpriced_calls = t.unpriced_calls + excluded.unpriced_calls,
        no_usage_calls = t.no_usage_calls + excluded.no_usage_calls, error_calls = t.error_calls + excluded.error_calls,
        adjustments = t.adjustments + excluded.adjustments, corrections = t.corrections + excluded.corrections;
end $$;

comment on function app.totals_add is
    'Adds calls and corrections to daily_totals and daily_labels, in a slot of this transaction.';
-- No grant: part of the triggers of usage_logs and cost_adjustments.
revoke execute on function app.totals_add from public, anon, authenticated, service_role;
