-- books_history(first bar, until, days of a bar) → what OpenAI's books say was spent before the first call, for the bars of a chart
--
-- bar: first day of the bar. Only days (UTC) before the one of the organization's first call, and only bars with an amount. These
-- dollars are in no sum: calls of those days did not go through SpendAI.
create or replace function app.books_history(p_first date, p_until date, p_days integer) returns table (bar date, amount numeric)
language sql stable
set search_path = ''
as $$
    with began as (
        select least(
            (select t.day from public.daily_totals t where t.org_id = o.id and t.upstream = o.books order by t.day limit 1),
            (select (u.started_at at time zone 'utc')::date from app.calls_open() u where u.org_id = o.id and u.upstream = o.books
             order by u.started_at limit 1)) as day
        from public.organizations o where o.id = (select app.current_org_id())
    )
    select p_first + (d.day - p_first) / p_days * p_days, trim_scale(sum(d.amount))
    from public.openai_days d cross join began b
    where d.org_id = (select app.current_org_id()) and d.day >= p_first and d.day < p_until and (b.day is null or d.day < b.day)
      and not exists (select from public.openai_days later where later.org_id = d.org_id and later.day = d.day and later.n > d.n)
    group by 1 having sum(d.amount) <> 0 order by 1
$$;

comment on function app.books_history is 'Dollars of OpenAI''s books from before the organization''s first call, by the bars of a chart.';
revoke execute on function app.books_history from public, anon, authenticated, service_role;
grant execute on function app.books_history to authenticated;
