-- key_page(from, to, before from, before to, filters, search, sort, offset, limit) → one page of the proxy keys, with their spend
--
-- p_from, p_to: the period of calls, cost and unknown_calls (calls whose cost is not known); null: no sums. p_before_from and
-- p_before_to: the period it is compared with (cost_before, unknown_before; change: cost less that); null: not compared.
-- p_filters: {"project": [ids], "person": [ids of who made them], "key": [ids], "state": [active, expired, revoked, archived]};
-- of each list one word must fit. archived: the key's project is. "used": ["no"]: only keys without a call in the period.
-- p_search: part of a name, a note, or the beginning of a key or its id. p_sort: name, project, created_by, created_at,
-- last_used_at, calls, cost or change, each also with a minus for falling; '' for active keys first and the newest first.
-- p_limit: null for all.
--
-- Last use is the arrival of the key's newest call, found by the index on key and time, so that no call has to update its key.
-- refused_today: calls since midnight UTC that were refused because of the state of the key; then some app still uses it.
-- all_…: of all keys that fit, not only of the page.
create or replace function app.key_page(
    p_from timestamptz, p_to timestamptz, p_before_from timestamptz, p_before_to timestamptz, p_filters jsonb, p_search text,
    p_sort text, p_offset integer, p_limit integer
) returns table (
    id uuid, project_id uuid, project text, name text, prefix text, note text, created_at timestamptz, created_by text,
    person_id uuid, expires_at timestamptz, revoked_at timestamptz, rotated_from uuid, replaced_by uuid,
    last_used_at timestamptz, state text, refused_today bigint,
    calls bigint, unknown_calls bigint, cost numeric, cost_before numeric, unknown_before bigint, change numeric,
    all_keys bigint, all_calls bigint, all_unknown bigint, all_cost numeric, all_before numeric, all_unknown_before bigint,
    all_change numeric
)
language sql stable
set search_path = ''
as $$
    with spend as materialized (
        select n.key_id, n.calls, n.unpriced_calls + n.no_usage_calls + n.in_doubt_calls as unknown, n.cost
        from app.sums(p_from, p_to, '{key}', p_filters - '{person,state,used}'::text[], 'UTC', null,
            '{calls,cost,unpriced_calls,no_usage_calls,in_doubt_calls}') n
        where p_from is not null
    ), before as materialized (
        select n.key_id, n.unpriced_calls + n.no_usage_calls + n.in_doubt_calls as unknown, n.cost
        from app.sums(p_before_from, p_before_to, '{key}', p_filters - '{person,state,used}'::text[], 'UTC', null,
            '{calls,cost,unpriced_calls,no_usage_calls,in_doubt_calls}') n
        where p_before_from is not null
    ), fitting as (
        select k.id, p.name as project, k.name, k.created_at, m.email as created_by, w.state, last.started_at as last_used_at,
            coalesce(s.calls, 0) as calls, coalesce(s.unknown, 0) as unknown_calls,
            case when p_from is not null then coalesce(s.cost, 0) end as cost,
            case when p_before_from is not null then coalesce(b.cost, 0) end as cost_before,
            case when p_before_from is not null then coalesce(b.unknown, 0) end as unknown_before
        from public.api_keys k
        join public.projects p on p.id = k.project_id
        left join public.members m on m.user_id = k.created_by and m.org_id = k.org_id
        left join spend s on s.key_id = k.id
        left join before b on b.key_id = k.id
        cross join lateral (select case when k.revoked_at is not null then 'revoked' when k.expires_at <= now() then 'expired'
            when p.archived_at is not null then 'archived' else 'active' end as state) w
        left join lateral (  -- for each key only where they are sorted by it; else for those of the page, below
            select u.started_at from public.usage_logs u
            where ltrim(p_sort, '-') = 'last_used_at' and u.api_key_id = k.id and u.org_id = k.org_id
            order by u.started_at desc limit 1
        ) last on true
        where k.org_id = (select app.current_org_id())
          and (not p_filters ? 'project' or p_filters -> 'project' ? k.project_id::text)
          and (not p_filters ? 'person' or p_filters -> 'person' ? k.created_by::text)
          and (not p_filters ? 'key' or p_filters -> 'key' ? k.id::text)
          and (not p_filters ? 'state' or p_filters -> 'state' ? w.state)
          and (not p_filters ? 'used' or coalesce(s.calls, 0) = 0)
          and (p_search = '' or strpos(lower(k.name), lower(p_search)) > 0 or strpos(lower(k.note), lower(p_search)) > 0
               or starts_with(k.prefix, p_search) or starts_with(p_search, k.prefix) or starts_with(k.id::text, lower(p_search)))
    ), ordered as (
        select f.*, case ltrim(p_sort, '-') when 'name' then lower(f.name) when 'project' then lower(f.project)
                when 'created_by' then lower(f.created_by) end as words,
            case ltrim(p_sort, '-') when 'calls' then f.calls when 'cost' then f.cost when 'change' then f.cost - f.cost_before
                when 'created_at' then extract(epoch from f.created_at)
                when 'last_used_at' then extract(epoch from f.last_used_at) end as amount,
            count(*) over () as all_keys, sum(f.calls) over () as all_calls, sum(f.unknown_calls) over () as all_unknown,
            sum(f.cost) over () as all_cost, sum(f.cost_before) over () as all_before,
            sum(f.unknown_before) over () as all_unknown_before
        from fitting f
    ), page as (
        select row_number() over (order by
                case when p_sort like '-%' then o.words end desc nulls last, case when p_sort not like '-%' then o.words end,
                case when p_sort like '-%' then o.amount end desc nulls last, case when p_sort not like '-%' then o.amount end,
                o.state <> 'active', o.created_at desc, o.id) as nth,
            o.*
        from ordered o order by nth offset p_offset limit p_limit
    ), newer as materialized (  -- found once: the planner would read the keys of the organization for each key of the page
        select n.id, n.rotated_from from public.api_keys n where n.rotated_from = any (array(select g.id from page g))
    )
    select k.id, k.project_id, g.project, k.name, k.prefix, k.note, k.created_at, g.created_by, k.created_by, k.expires_at, k.revoked_at,
        k.rotated_from, (select n.id from newer n where n.rotated_from = k.id),
        last.started_at, g.state, coalesce(r.calls, 0),
        g.calls, g.unknown_calls, g.cost, g.cost_before, g.unknown_before, g.cost - g.cost_before,
        g.all_keys, g.all_calls::bigint, g.all_unknown::bigint, g.all_cost, g.all_before, g.all_unknown_before::bigint,
        g.all_cost - g.all_before
    from page g
    join public.api_keys k on k.id = g.id
    left join public.key_refusals r on r.api_key_id = k.id and r.day = (now() at time zone 'utc')::date
    left join lateral (
        select u.started_at from public.usage_logs u where u.api_key_id = k.id and u.org_id = k.org_id
        order by u.started_at desc limit 1
    ) last on true
    order by g.nth
$$;

comment on function app.key_page is 'A page of the proxy keys of the caller''s organization with their spend: filtered, searched, sorted.';
revoke execute on function app.key_page from public, anon, authenticated, service_role;
grant execute on function app.key_page to authenticated;
