-- filter_choices(from, to, filters, limit) → what the filters of a page offer: values with their names, and how many there are
--
-- Of each filter at most p_limit values, those chosen in p_filters first, then those that cost most in the period (by whole
-- days, UTC), then the newest; so that thousands of keys do not make a page of megabytes. known: how many there are in all.
-- Projects and keys are those of the organization, keys only of the projects that are chosen, people those who made a key;
-- models, endpoints, tiers and status codes are those of calls in the period. A value that p_filters chooses is in the list
-- where the organization has it.
create or replace function app.filter_choices(p_from timestamptz, p_to timestamptz, p_filters jsonb, p_limit integer)
returns table (filter text, value text, name text, prefix text, project text, known bigint)
language sql stable
set search_path = ''
set enable_nestloop = off  -- the planner expects few rows in seen, and would read all of them for each key
set enable_sort = off  -- it expects few days too: hashing them takes less time than sorting
set enable_indexscan = off  -- and few totals: a bitmap takes less time than looking up each of them
as $$
    with brief as materialized (  -- added up once, and below for each filter from far fewer rows
        select e.model, e.endpoint, e.service_tier, e.status_code, sum(e.calls) as calls
        from public.daily_entries e
        where e.org_id = (select app.current_org_id()) and e.day >= (p_from at time zone 'utc')::date
          and e.day <= (p_to at time zone 'utc')::date
        group by 1, 2, 3, 4
    ), corrected as (  -- read only for the days on which corrections were booked
        select e.model, e.endpoint, e.service_tier, e.status_code, sum(e.adjustments) as adjustments
        from public.daily_entries e
        where e.org_id = (select app.current_org_id()) and e.day = any (array(
            select distinct (a.at at time zone 'utc')::date from public.cost_adjustments a
            where a.org_id = (select app.current_org_id()) and a.at >= date_trunc('day', p_from, 'utc')
              and a.at < date_trunc('day', p_to, 'utc') + interval '24 hours'))
        group by 1, 2, 3, 4
    ), many as (  -- only then does it matter what they cost
        select greatest((select count(*) from public.projects p where p.org_id = (select app.current_org_id())),
            (select count(*) from public.api_keys k where k.org_id = (select app.current_org_id())),
            (select greatest(count(distinct b.model), count(distinct b.endpoint), count(distinct b.service_tier),
                count(distinct b.status_code)) from brief b)) > p_limit as yes
    ), days as materialized (
        select e.project_id, e.api_key_id, e.model, e.endpoint, e.service_tier, e.status_code, sum(e.cost) as cost,
            sum(e.calls) as calls, sum(e.adjustments) as adjustments
        from public.daily_entries e
        where (select m.yes from many m) and e.org_id = (select app.current_org_id())
          and e.day >= (p_from at time zone 'utc')::date and e.day <= (p_to at time zone 'utc')::date
        group by 1, 2, 3, 4, 5, 6
        union all
        select null, null, b.model, b.endpoint, b.service_tier, b.status_code, null, b.calls, null from brief b
        where not (select m.yes from many m)
        union all
        select null, null, c.model, c.endpoint, c.service_tier, c.status_code, null, null, c.adjustments from corrected c
        where not (select m.yes from many m)
    ), seen as (
        select
            case 0 when grouping(e.project_id) then 'project' when grouping(e.api_key_id) then 'key' when grouping(e.model) then 'model'
                when grouping(e.endpoint) then 'endpoint' when grouping(e.service_tier) then 'service_tier' else 'status' end as filter,
            coalesce(e.project_id::text, e.api_key_id::text, e.model, e.endpoint, e.service_tier, e.status_code::text) as value,
            sum(e.cost) as cost
        from days e
        group by grouping sets (e.project_id, e.api_key_id, e.model, e.endpoint, e.service_tier, e.status_code)
        having sum(e.calls) <> 0 or sum(e.adjustments) <> 0  -- 0 and 0: a fill moved the model's calls to another one
    ), keys as (
        select k.id::text as id, k.name, k.prefix, k.created_by, k.created_at, k.project_id::text as project_id, p.name as project, s.cost
        from public.api_keys k
        join public.projects p on p.id = k.project_id
        left join seen s on s.filter = 'key' and s.value = k.id::text
        where k.org_id = (select app.current_org_id())
    ), offered as (
        select 'project' as filter, p.id::text as value, p.name, null as prefix, null as project, s.cost, p.created_at
        from public.projects p
        left join seen s on s.filter = 'project' and s.value = p.id::text
        where p.org_id = (select app.current_org_id())
        union all
        select 'key', k.id, k.name, k.prefix, k.project, k.cost, k.created_at
        from keys k
        where not p_filters ? 'project' or p_filters -> 'project' ? k.project_id
           or p_filters -> 'key' ? k.id or p_filters -> 'not_key' ? k.id
        union all
        select 'person', k.created_by::text, m.email, null, null, sum(k.cost), max(k.created_at)
        from keys k
        left join public.members m on m.user_id = k.created_by
        where k.created_by is not null
        group by k.created_by, m.email
        union all
        select s.filter, s.value, s.value, null, null, s.cost, null
        from seen s where s.filter not in ('project', 'key') and s.value is not null
    ), ranked as (
        select o.*, count(*) over (partition by o.filter) as known, row_number() over (
            partition by o.filter
            order by coalesce(p_filters -> o.filter ? o.value, false) or coalesce(p_filters -> ('not_' || o.filter) ? o.value, false) desc,
                o.cost desc nulls last, o.created_at desc nulls last, o.value
        ) as place
        from offered o
    )
    select r.filter, r.value, r.name, r.prefix, r.project, r.known from ranked r where r.place <= p_limit
    order by r.filter, lower(r.project), lower(r.name), r.prefix, r.value
$$;

comment on function app.filter_choices is 'Values that the filters of a page offer, at most p_limit of each, and how many there are.';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.filter_choices from public, anon, authenticated, service_role;
grant execute on function app.filter_choices to authenticated;
