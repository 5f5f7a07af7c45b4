-- books_months(months) → the newest months that OpenAI's books have, compared with the ledger; the newest first
--
-- status: closed (the newest row of month_closes says so; its frozen sums are in that table); provisional (the month is over and
-- OpenAI's books have every day of it whole); else open. days: days with books. share: of OpenAI's dollars, the part that went
-- through SpendAI; null for a month without dollars, or where a credit makes that part, or the rest, less than 0. restated_days:
-- on which two fetches that were made after the end of the day name different amounts. Sums are as last compared: run
-- app.reconcile first.
create or replace function app.books_months(p_months integer)
returns table (
    month date, status text, days bigint, openai numeric, ledger numeric, difference numeric, explained numeric, unexplained numeric,
    unexplained_gross numeric, dark numeric, share numeric, restated_days bigint, fetched_at timestamptz, closed_at timestamptz
)
language sql stable
set search_path = ''
as $$
    with sums as (
        select date_trunc('month', d.day)::date as month, count(*) as days, bool_and(d.whole) as whole, sum(d.openai) as openai,
            sum(d.ledger) as ledger, sum(d.difference) as difference, sum(d.explained) as explained, sum(d.unexplained) as unexplained,
            sum(d.unexplained_gross) as unexplained_gross, count(*) filter (where (
                select min(x.amount) <> max(x.amount) from public.openai_days x where x.org_id = d.org_id and x.day = d.day and x.whole)) as restated_days,
            min(d.fetched_at) as fetched_at
        from public.reconciliation_days d
        where d.org_id = (select app.current_org_id())
        group by 1 order by 1 desc limit p_months
    ), dark as (
        select date_trunc('month', s.day)::date as month, sum(s.openai - s.through) as amount
        from app.books_share((select min(s.month) from sums s), 'infinity') s group by 1
    )
    select s.month, case when c.status = 'closed' then 'closed'
            when s.whole and (s.month + interval '1 month')::date - s.month = s.days then 'provisional' else 'open' end,
        s.days, s.openai, s.ledger, s.difference, s.explained, s.unexplained, s.unexplained_gross, d.amount,
        case when d.amount between 0 and s.openai then round(1 - d.amount / nullif(s.openai, 0), 6) end, s.restated_days, s.fetched_at, case when c.status = 'closed' then c.at end
    from sums s
    join dark d using (month)
    left join lateral (
        select x.status, x.at from public.month_closes x
        where x.org_id = (select app.current_org_id()) and x.month = s.month order by x.n desc limit 1
    ) c on true
    order by s.month desc
$$;

comment on function app.books_months is 'Months of OpenAI''s books beside the ledger, with how much of the difference is explained and their state.';
revoke execute on function app.books_months from public, anon, authenticated, service_role;
grant execute on function app.books_months to authenticated;
