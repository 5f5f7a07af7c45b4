-- entries_added(entries, by hour) → entries with the same words, of the same hour (or day), added up; in the order of the key
--
-- Without end users and tags: see labels_add. p_by_hour: false leaves the first hour of the day in each entry.
create or replace function app.entries_added(p_entries app.total_entry[], p_by_hour boolean) returns app.total_entry[]
language plpgsql
set search_path = ''
as $$
begin
    return array(
        select row(
            e.org_id, e.day, e.project_id, e.api_key_id, e.model, e.endpoint, e.service_tier, e.status_code, e.cost_status,
            e.upstream, null, null,
            sum(e.calls), sum(e.tokens_in), sum(e.tokens_cached), sum(e.tokens_cache_write), sum(e.tokens_out),
            sum(e.tokens_reasoning), sum(e.tokens_audio_in), sum(e.tokens_audio_out), sum(e.cost), sum(e.adjustment),
            sum(e.correction), sum(e.cost_input), sum(e.cost_cached), sum(e.cost_cache_write), sum(e.cost_output), sum(e.cost_reasoning),
            sum(e.cost_audio), sum(e.cost_image), sum(e.cost_tools), sum(e.cost_region), min(e.hour))::app.total_entry
        from unnest(p_entries) e
        group by e.org_id, e.day, case when p_by_hour then e.hour end, e.project_id, e.api_key_id, e.model, e.endpoint,
            e.service_tier, e.status_code, e.cost_status, e.upstream
        order by e.org_id, e.day, case when p_by_hour then e.hour end, e.project_id, e.api_key_id, e.model, e.endpoint,
            e.service_tier, e.status_code, e.cost_status, e.upstream);
end $$;

comment on function app.entries_added is 'Adds up entries of the same hour, or day, and the same words; part of totals_add.';
-- No grant: part of totals_add.
revoke execute on function app.entries_added from public, anon, authenticated, service_role;
