-- totals_follow_corrections(): trigger of cost_adjustments; adds each correction to the totals of two days, and of two hours
--
-- To those at which it is booked (column adjustments, part of the reported cost), and to those of its call (column corrections,
-- part of the corrected cost). A call in a month that was dropped meanwhile (see retention_drop) has no
-- row any more: its correction is added nowhere.
create or replace function app.totals_follow_corrections() returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_entries app.total_entry[];
begin
    select array_agg(row(
        e.org_id, case when d.booked then (a.at at time zone 'utc')::date else e.day end, e.project_id, e.api_key_id, e.model,
        e.endpoint, e.service_tier, e.status_code, e.cost_status, e.upstream, e.end_user, e.tags, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        case when d.booked then a.delta else 0 end, case when d.booked then 0 else a.delta end,
        case when d.booked then date_bin('1 hour', a.at, '2000-01-01 00:00+00') else e.hour end, 0, 0, 0, 0, 0, 0, 0, 0, 0
        )::app.total_entry)
    into v_entries
    from new_corrections a
    join public.usage_logs u on u.id = a.call_id and u.started_at = a.call_started_at
    cross join lateral app.total_entry_of(u, 0) e
    cross join (values (true), (false)) d (booked);
    perform app.totals_add(v_entries);
    return null;
end $$;

comment on function app.totals_follow_corrections is 'Trigger: adds corrections to daily and hourly totals and labels.';
-- No grant: triggers need none.
revoke execute on function app.totals_follow_corrections from public, anon, authenticated, service_role;

create or replace trigger totals_follow after insert on public.cost_adjustments
    referencing new table as new_corrections for each statement execute function app.totals_follow_corrections();
