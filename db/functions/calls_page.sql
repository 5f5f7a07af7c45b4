-- calls_page(...) → calls newest first, one page; the next begins after the last row's (started_at, id)
create or replace function app.calls_page(
    p_from timestamptz, p_to timestamptz, p_filters jsonb, p_before_at timestamptz, p_before_id uuid, p_limit integer
) returns setof public.calls
language sql stable
set search_path = ''
as $$
    select v.*
    from (
        select c.id, c.started_at from app.calls_matching(p_from, p_to, p_filters) c
        where p_before_at is null or (c.started_at, c.id) < (p_before_at, p_before_id)
        order by c.started_at desc, c.id desc limit p_limit
    ) page
    join public.calls v on v.id = page.id and v.started_at = page.started_at
    order by page.started_at desc, page.id desc
$$;

comment on function app.calls_page is 'A page of calls, newest first; keyset on (started_at, id).';
revoke execute on function app.calls_page from public, anon, authenticated, service_role;
grant execute on function app.calls_page to authenticated;
