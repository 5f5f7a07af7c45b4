-- calls_ranked(from, to, filters, by, after value, after id, limit) → calls sorted by cost, tokens or age, one page
--
-- p_by: cost, tokens_in, tokens_cached, tokens_out or started_at: the highest value first, or with a minus before it the lowest
-- (-started_at: the oldest first; for the newest first there is calls_page, by index). Calls without the value come last.
-- p_after_value, p_after_id: of the last row of the page before, nulls for the first page; started_at is given in microseconds
-- since 1970.
create or replace function app.calls_ranked(
    p_from timestamptz, p_to timestamptz, p_filters jsonb, p_by text, p_after_value numeric, p_after_id uuid, p_limit integer
) returns setof public.calls
language plpgsql stable
set search_path = ''
as $$
begin
    return query execute format($sql$
        with ranked as (
            select e.id, e.at, coalesce(case when starts_with($4, '-') then -r.value else r.value end, '-infinity') as rank
            from (%s) e
            cross join lateral (values (
                case ltrim($4, '-') when 'cost' then e.cost when 'tokens_in' then e.tokens_in when 'tokens_cached' then e.tokens_cached
                    when 'tokens_out' then e.tokens_out when 'started_at' then extract(epoch from e.at) * 1000000 end
            )) as r (value)
        ), page as (
            select r.* from ranked r
            where $6 is null or (r.rank, r.id) < (coalesce(case when starts_with($4, '-') then -$5 else $5 end, '-infinity'), $6)
            order by r.rank desc, r.id desc limit $7
        )
        select v.* from page p
        cross join lateral (  -- offset 0: each row is looked up by itself, whatever the planner expects
            select c.* from public.calls c where c.id = p.id and c.started_at = p.at offset 0
        ) v
        order by p.rank desc, p.id desc
    $sql$, app.calls_sql(p_filters))
    using p_filters, p_from, p_to, p_by, p_after_value, p_after_id, p_limit;
end $$;

comment on function app.calls_ranked is 'A page of calls sorted by cost, tokens or age; keyset on (value, id).';
revoke execute on function app.calls_ranked from public, anon, authenticated, service_role;
grant execute on function app.calls_ranked to authenticated;
