-- month_list() → app.month_state of every month that OpenAI's books have a day of, or that was ever closed; newest first
--
-- Call app.reconcile before: sums are as last compared.
create or replace function app.month_list()
returns table (
    month date, state text, days integer, missing date[], changing date[], closes_on date, openai numeric, ledger numeric,
    unexplained numeric, named jsonb, fetch_ids uuid[], close_id uuid, closed_at timestamptz, closed_by text, note text,
    invoice numeric, sha256 text, intact boolean, closed_openai numeric, closed_ledger numeric, closed_unexplained numeric,
    restated_openai numeric, restated_ledger numeric, restated_unexplained numeric
)
language sql stable security definer
set search_path = ''
as $$
    select m.*
    from (select date_trunc('month', d.day)::date as month from public.openai_days d where d.org_id = app.current_org_id()
          union
          select c.month from public.month_closes c where c.org_id = app.current_org_id()) known
    cross join lateral app.month_of(app.current_org_id(), known.month) m
    order by m.month desc
$$;

comment on function app.month_list is 'Months of OpenAI''s books with the state of their closing, newest first.';
revoke execute on function app.month_list from public, anon, authenticated, service_role;
grant execute on function app.month_list to authenticated;
