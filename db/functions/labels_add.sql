-- labels_add(entries, slot): adds calls and corrections to the daily and hourly labels; part of totals_add
--
-- An hour has the labels of its day: app.labels_beyond says of the day which are kept apart.
create or replace function app.labels_add(p_entries app.total_entry[], p_slot integer) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_hours public.hourly_labels[] := array(
        select row(e.org_id, l.kind, e.hour, coalesce(b.counted_as, l.label), e.project_id, e.api_key_id, e.upstream, p_slot,
            sum(e.calls), sum(e.tokens_in), sum(e.tokens_cached), sum(e.tokens_out), sum(e.cost),
            coalesce(sum(e.calls) filter (where e.cost_status in ('unpriced_model', 'unpriced_dimension')), 0),
            coalesce(sum(e.calls) filter (where e.cost_status in ('no_usage', 'pending_object')), 0),
            coalesce(sum(e.calls) filter (where e.status_code >= 400), 0), sum(e.adjustment), sum(e.correction)
            )::public.hourly_labels
        from unnest(p_entries) e
        cross join lateral (
            select 'end_user' as kind, e.end_user as label where e.end_user is not null
            union all
            select 'tagged', '' where e.tags <> '{}'
            union all
            select 'tag', x.key || '=' || x.value from jsonb_each_text(e.tags) x
        ) l
        left join app.labels_beyond(p_entries, p_slot) b
            on b.org_id = e.org_id and b.day = e.day and b.kind = l.kind and b.label = l.label
        group by e.org_id, l.kind, e.hour, coalesce(b.counted_as, l.label), e.project_id, e.api_key_id, e.upstream
        order by e.org_id, l.kind, e.hour, coalesce(b.counted_as, l.label), e.project_id, e.api_key_id, e.upstream);
    v_days public.hourly_labels[] := v_hours;  -- of each day added up, in its first hour
begin
    if exists (select from unnest(v_hours) h where h.hour <> v_hours[1].hour) then
        v_days := array(
            select row(h.org_id, h.kind, min(h.hour), h.label, h.project_id, h.api_key_id, h.upstream, p_slot,
                sum(h.calls), sum(h.tokens_in), sum(h.tokens_cached), sum(h.tokens_out), sum(h.cost), sum(h.unpriced_calls),
                sum(h.no_usage_calls), sum(h.error_calls), sum(h.adjustments), sum(h.corrections))::public.hourly_labels
            from unnest(v_hours) h
            group by h.org_id, h.kind, (h.hour at time zone 'utc')::date, h.label, h.project_id, h.api_key_id, h.upstream
            order by h.org_id, h.kind, (h.hour at time zone 'utc')::date, h.label, h.project_id, h.api_key_id, h.upstream);
    end if;
    insert into public.daily_labels as t (
        org_id, kind, day, label, project_id, api_key_id, upstream, slot, calls, tokens_in, tokens_cached, tokens_out, cost,
        unpriced_calls, no_usage_calls, error_calls, adjustments, corrections)
    select
        d.org_id, d.kind, (d.hour at time zone 'utc')::date, d.label, d.project_id, d.api_key_id, d.upstream, d.slot, d.calls,
        d.tokens_in, d.tokens_cached, d.tokens_out, d.cost, d.unpriced_calls, d.no_usage_calls, d.error_calls, d.adjustments,
        d.corrections
    from unnest(v_days) d
    on conflict (org_id, kind, day, label, project_id, api_key_id, upstream, slot)
    do update set
        calls = t.calls + excluded.calls, tokens_in = t.tokens_in + excluded.tokens_in,
        tokens_cached = t.tokens_cached + excluded.tokens_cached, tokens_out = t.tokens_out + excluded.tokens_out,
        cost = t.cost + excluded.cost, unpriced_calls = t.unpriced_calls + excluded.unpriced_calls,
        no_usage_calls = t.no_usage_calls + excluded.no_usage_calls, error_calls = t.error_calls + excluded.error_calls,
        adjustments = t.adjustments + excluded.adjustments, corrections = t.corrections + excluded.corrections;
    insert into public.hourly_labels as t
    select h.* from unnest(v_hours) h
    on conflict (org_id, kind, hour, label, project_id, api_key_id, upstream, slot)
    do update set
        calls = t.calls + excluded.calls, tokens_in = t.tokens_in + excluded.tokens_in,
        tokens_cached = t.tokens_cached + excluded.tokens_cached, tokens_out = t.tokens_out + excluded.tokens_out,
        cost = t.cost + excluded.cost, unpriced_calls = t.unpriced_calls + excluded.unpriced_calls,
        no_usage_calls = t.no_usage_calls + excluded.no_usage_calls, error_calls = t.error_calls + excluded.error_calls,
        adjustments = t.adjustments + excluded.adjustments, corrections = t.corrections + excluded.corrections;
end $$;

comment on function app.labels_add is 'Adds calls and corrections to the daily and hourly labels; part of totals_add.';
-- No grant: part of totals_add.
revoke execute on function app.labels_add from public, anon, authenticated, service_role;
