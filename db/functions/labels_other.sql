-- labels_other(from, to, filters) → whether a day of the period may count what the filters ask for as (other)
--
-- Such a day has labels beyond its limits (see app.labels_beyond). Then the sums of an end user or tag that the filters name, or leave
-- out, may lack calls: only the calls themselves tell.
create or replace function app.labels_other(p_from timestamptz, p_to timestamptz, p_filters jsonb) returns boolean
language sql stable
set search_path = ''
set timezone = 'UTC'
as $$
    select exists (
        select from app.sums_span() s
        cross join generate_series(date_trunc('day', greatest(p_from, s.first)), least(p_to, s.until), interval '1 day') g (day)
        join public.daily_labels d on d.org_id = (select app.current_org_id()) and d.day = g.day::date
            and d.kind = any (array[case when p_filters ?| '{end_user,not_end_user}' then 'end_user' end,
                case when p_filters ?| '{tag,not_tag}' then 'tag' end])
            and d.label = any (array['(other)'] || array(select split_part(w, '=', 1) || '=(other)'
                from jsonb_array_elements_text(coalesce(p_filters -> 'tag', '[]') || coalesce(p_filters -> 'not_tag', '[]')) w))
    )
$$;

comment on function app.labels_other is
    'Whether a day of a period may count an end user or tag of the filters as (other). Part of app.usage_with_total and app.calls_sum.';
revoke execute on function app.labels_other from public, anon, authenticated, service_role;
grant execute on function app.labels_other to authenticated;
