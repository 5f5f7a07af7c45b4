-- books_to_compare(from, until) → days of OpenAI's books that app.reconcile has to compare again, the first one first
--
-- Those never compared, and those whose books, calls, links or aliases changed since. Not those of a month that was dropped from the ledger:
-- what was compared before stays. For every member, as app.reconcile. p_until is not included. Only the 400 days from p_from.
create or replace function app.books_to_compare(p_from date, p_until date) returns setof date
language sql stable security definer
set search_path = ''
as $$
    select d.day
    from (select distinct b.org_id, b.day from public.openai_days b
          where b.org_id = app.current_org_id() and b.day >= p_from and b.day < p_until and b.day < p_from + 400) d
    where date_trunc('month', d.day)::date not in (select m from app.months_dropped() m)
      and not exists (select from public.reconciled_days r
                      where r.org_id = d.org_id and r.day = d.day and r.state = app.books_state(d.org_id, d.day))
    order by d.day
$$;

comment on function app.books_to_compare is 'Days of OpenAI''s books whose comparison with the ledger is not up to date.';
revoke execute on function app.books_to_compare from public, anon, authenticated, service_role;
grant execute on function app.books_to_compare to authenticated;
