-- calls_page(...) → calls newest first, one page; the next begins after the last row's (started_at, id)
create or replace function app.calls_page(
    p_from timestamptz, p_to timestamptz, p_filters jsonb, p_before_at timestamptz, p_before_id uuid, p_limit integer
) returns setof public.calls
language sql stable
set search_path = ''
set plan_cache_mode = force_custom_plan  -- as in app.usage
as $$
    select v.*
    from (
        select e.call_id, e.at from app.entries_matching(p_from, p_to, p_filters) e
        where e.entry = 'call' and (p_before_at is null or (e.at, e.call_id) < (p_before_at, p_before_id))
        order by e.at desc, e.call_id desc limit p_limit
    ) page
    join public.calls v on v.id = page.call_id and v.started_at = page.at
    order by page.at desc, page.call_id desc
$$;

comment on function app.calls_page is 'A page of calls, newest first; keyset on (started_at, id).';
revoke execute on function app.calls_page from public, anon, authenticated, service_role;
grant execute on function app.calls_page to authenticated;
