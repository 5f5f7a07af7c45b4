-- models_seen(from, to) → names of the models that were called on the days of a period, for filters to choose from
create or replace function app.models_seen(p_from timestamptz, p_to timestamptz) returns table (model text)
language sql stable
set search_path = ''
as $$
    select e.model
    from public.daily_entries e
    where e.org_id = (select app.current_org_id()) and e.model is not null
      and e.day >= (p_from at time zone 'utc')::date and e.day <= (p_to at time zone 'utc')::date
    group by 1
    having sum(e.calls) <> 0 or sum(e.adjustments) <> 0  -- 0 and 0: a fill moved the model's calls to another one
    order by 1
$$;

comment on function app.models_seen is 'Models the organization called in a period, by name.';
revoke execute on function app.models_seen from public, anon, authenticated, service_role;
grant execute on function app.models_seen to authenticated;
