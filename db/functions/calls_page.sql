-- calls_page(from, to, filters, before at, before id, limit) → calls newest first, one page
--
-- p_before_at and p_before_id: (started_at, id) of the last row of the page before; nulls for the first page.
--
-- Calls that fit the filters may be rare among very many. So the daily totals say first which keys have such calls on which
-- days (see calls_places), and only those are read: at first just the newest days that should fill the page, then more. Calls of
-- WebSocket sessions are found by the index of their session instead.
create or replace function app.calls_page(
    p_from timestamptz, p_to timestamptz, p_filters jsonb, p_before_at timestamptz, p_before_id uuid, p_limit integer
) returns setof public.calls
language plpgsql stable
set search_path = ''
-- The planner expects far more days and keys than there are, and would read the whole period instead.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_to timestamptz := least(p_to, p_before_at + interval '1 microsecond');
    v_days date[];  -- days and keys (v_keys) with calls that may fit, the newest day first
    v_keys uuid[];
    v_before bigint[];  -- for each of them: how many calls may fit on later days, the day of p_before_at not counted
    v_count integer;  -- how many of them are read
    v_enough bigint := greatest(p_limit, 1);  -- so many calls that may fit must be on the days that are read
    v_ids uuid[];  -- of the page, with their started_at (v_ats)
    v_ats timestamptz[];
begin
    if p_filters = '{}' then
        select array_agg(e.id order by e.started_at desc, e.id desc), array_agg(e.started_at order by e.started_at desc, e.id desc)
        into v_ids, v_ats
        from (
            select u.id, u.started_at from public.usage_logs u
            where u.org_id = (select app.current_org_id()) and u.started_at >= p_from and u.started_at < v_to
              and u.upstream = (select o.books from public.organizations o where o.id = (select app.current_org_id()))
              and (p_before_at is null or (u.started_at, u.id) < (p_before_at, p_before_id))
            order by u.started_at desc, u.id desc limit p_limit
        ) e;
    elsif p_filters ? 'session' then
        execute format($sql$
            select array_agg(e.id order by e.at desc, e.id desc), array_agg(e.at order by e.at desc, e.id desc)
            from (
                select e.id, e.at from (%s) e where $4 is null or (e.at, e.id) < ($4, $5) order by e.at desc, e.id desc limit $6
            ) e
        $sql$, app.calls_sql(p_filters))
        into v_ids, v_ats
        using p_filters, p_from, v_to, p_before_at, p_before_id, p_limit;
    else
        select array_agg(c.day), array_agg(c.api_key_id), array_agg(c.before) into v_days, v_keys, v_before
        from (
            select p.day, p.api_key_id, coalesce(sum(p.calls) filter (where p.day < (p_before_at at time zone 'utc')::date
                or p_before_at is null) over (order by p.day desc groups between unbounded preceding and 1 preceding), 0) as before
            from app.calls_places(p_from, v_to, p_filters) p
            order by p.day desc
        ) c;
        while v_days is not null loop
            v_count := (select count(*) from unnest(v_before) b where b < v_enough);
            execute format($sql$
                select array_agg(e.id order by e.at desc, e.id desc), array_agg(e.at order by e.at desc, e.id desc)
                from (
                    select e.id, e.at
                    from unnest($4, $5) as d (day, key)
                    cross join lateral (
                        %s and e.api_key_id = d.key and e.at >= d.day::timestamp at time zone 'utc'
                            and e.at < (d.day + 1)::timestamp at time zone 'utc'
                    ) e
                    where $6 is null or (e.at, e.id) < ($6, $7)
                    order by e.at desc, e.id desc limit $8
                ) e
            $sql$, app.calls_sql(p_filters))
            into v_ids, v_ats
            using p_filters, greatest(p_from, v_days[v_count]::timestamp at time zone 'utc'), v_to, v_days[:v_count], v_keys[:v_count],
                p_before_at, p_before_id, p_limit;
            exit when cardinality(v_ids) = p_limit or v_count = cardinality(v_days);
            v_enough := v_enough * 8;
        end loop;
    end if;
    return query
    select v.* from unnest(v_ids, v_ats) as page (id, at)
    cross join lateral (  -- offset 0: each row is looked up by itself, whatever the planner expects
        select c.* from public.calls c where c.id = page.id and c.started_at = page.at offset 0
    ) v
    order by page.at desc, page.id desc;
end $$;

comment on function app.calls_page is 'A page of calls, newest first; keyset on (started_at, id).';
revoke execute on function app.calls_page from public, anon, authenticated, service_role;
grant execute on function app.calls_page to authenticated;
