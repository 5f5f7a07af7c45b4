-- month_state(first day of a month) → the row of app.month_of for the own organization, for every member
--
-- Call app.reconcile before: sums are as last compared.
create or replace function app.month_state(p_month date)
returns table (
    month date, state text, days integer, missing date[], changing date[], closes_on date, openai numeric, ledger numeric,
    unexplained numeric, named jsonb, fetch_ids uuid[], close_id uuid, closed_at timestamptz, closed_by text, note text,
    invoice numeric, sha256 text, intact boolean, closed_openai numeric, closed_ledger numeric, closed_unexplained numeric,
    restated_openai numeric, restated_ledger numeric, restated_unexplained numeric
)
language sql stable security definer
set search_path = ''
as $$
    select m.* from app.month_of(app.current_org_id(), p_month) m where app.current_org_id() is not null
$$;

comment on function app.month_state is 'How far a month is with its closing, and what changed since it was closed.';
revoke execute on function app.month_state from public, anon, authenticated, service_role;
grant execute on function app.month_state to authenticated;
