-- calls_ranked(...) → calls by cost, tokens or age, one page; the next begins after the last row's value and id
--
-- p_by: cost, tokens_in, tokens_cached, tokens_out or started_at: the highest first, or with a minus before it the lowest (so
-- -started_at is the oldest first; the newest first is calls_page, by index). Calls without the value come last.
-- p_after_value: of that column, for started_at in microseconds since 1970.
create or replace function app.calls_ranked(
    p_from timestamptz, p_to timestamptz, p_filters jsonb, p_by text, p_after_value numeric, p_after_id uuid, p_limit integer
) returns setof public.calls
language sql stable
set search_path = ''
set plan_cache_mode = force_custom_plan  -- as in app.usage
as $$
    with ranked as (
        select e.call_id, e.at, coalesce(case when starts_with(p_by, '-') then -r.value else r.value end, '-infinity') as rank
        from app.entries_matching(p_from, p_to, p_filters) e
        cross join lateral (values (case ltrim(p_by, '-') when 'cost' then e.cost when 'tokens_in' then e.tokens_in
            when 'tokens_cached' then e.tokens_cached when 'tokens_out' then e.tokens_out
            when 'started_at' then extract(epoch from e.at) * 1000000 end)) as r (value)
        where e.entry = 'call'
    ), page as (
        select r.* from ranked r
        where p_after_id is null or (r.rank, r.call_id) < (
            coalesce(case when starts_with(p_by, '-') then -p_after_value else p_after_value end, '-infinity'), p_after_id)
        order by r.rank desc, r.call_id desc limit p_limit
    )
    select v.* from page p
    join public.calls v on v.id = p.call_id and v.started_at = p.at
    order by p.rank desc, p.call_id desc
$$;

comment on function app.calls_ranked is 'A page of calls, the dearest (or longest, or oldest) first; keyset on (value, id).';
revoke execute on function app.calls_ranked from public, anon, authenticated, service_role;
grant execute on function app.calls_ranked to authenticated;
