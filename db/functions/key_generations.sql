-- key_generations(key id, from, to, before from, before to) → all generations of a key with their spend, newest first
--
-- A rotation makes the next generation. until: when it stopped or stops working, null: no end is known. calls … change: of the
-- period, as in app.key_page; calls_ever and cost_ever: since it was made. refused: calls of the days of the period (UTC) that
-- were refused because of its state. all_…: of all generations; all_last_refused: the newest day that had refused calls, ever.
create or replace function app.key_generations(
    p_key_id uuid, p_from timestamptz, p_to timestamptz, p_before_from timestamptz, p_before_to timestamptz
) returns table (
    generation integer, id uuid, prefix text, created_at timestamptz, created_by text, person_id uuid, until timestamptz, state text,
    last_used_at timestamptz, calls bigint, unknown_calls bigint, cost numeric, cost_before numeric, unknown_before bigint, change numeric,
    calls_ever bigint, unknown_ever bigint, cost_ever numeric, refused bigint,
    all_calls bigint, all_unknown bigint, all_cost numeric, all_before numeric, all_unknown_before bigint,
    all_change numeric, all_calls_ever bigint, all_unknown_ever bigint, all_cost_ever numeric, all_refused bigint,
    all_last_used_at timestamptz, all_last_refused date
)
language sql stable
set search_path = ''
as $$
    with line as materialized (
        select l.id, l.generation from app.key_line(p_key_id) l
    ), ever as materialized (  -- whole days only: no period has to be cut out of them
        select d.api_key_id, sum(d.calls)::bigint as calls, sum(d.cost) as cost,
            sum(d.unpriced_calls + d.no_usage_calls + d.in_doubt_calls)::bigint as unknown
        from public.daily_entries d
        where d.org_id = (select app.current_org_id()) and d.api_key_id = any (array(select l.id from line l))
        group by d.api_key_id
    )
    select l.generation, k.id, k.prefix, k.created_at, k.created_by, k.person_id, least(k.revoked_at, k.expires_at), k.state,
        k.last_used_at, k.calls, k.unknown_calls, k.cost, k.cost_before, k.unknown_before, k.change,
        coalesce(e.calls, 0), coalesce(e.unknown, 0), coalesce(e.cost, 0), r.calls,
        k.all_calls, k.all_unknown, k.all_cost, k.all_before, k.all_unknown_before, k.all_change,
        (sum(coalesce(e.calls, 0)) over ())::bigint, (sum(coalesce(e.unknown, 0)) over ())::bigint, sum(coalesce(e.cost, 0)) over (),
        (sum(r.calls) over ())::bigint, max(k.last_used_at) over (), max(r.last_day) over ()
    from app.key_page(p_from, p_to, p_before_from, p_before_to,
        jsonb_build_object('key', (select coalesce(jsonb_agg(l.id), '[]') from line l)), '', '', 0, null) k
    join line l on l.id = k.id
    left join ever e on e.api_key_id = k.id
    cross join lateral (
        select coalesce(sum(f.calls) filter (where f.day >= (p_from at time zone 'utc')::date and f.day < p_to at time zone 'utc'), 0)::bigint
            as calls, max(f.day) as last_day
        from public.key_refusals f where f.api_key_id = k.id
    ) r
    order by l.generation desc
$$;

comment on function app.key_generations is 'A key and the keys it replaced or was replaced by, each with its spend of a period and ever.';
revoke execute on function app.key_generations from public, anon, authenticated, service_role;
grant execute on function app.key_generations to authenticated;
