-- reconcile(from, until) → compares again the days whose books, calls, links or aliases changed; returns how many those are
--
-- For every member: a comparison is computed from what the member may read anyway. p_until is not included. At most 400 days.
create or replace function app.reconcile(p_from date, p_until date) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
    v_day date;
    v_count integer := 0;
begin
    for v_day in select day from app.books_to_compare(p_from, p_until) day loop
        perform app.reconcile_day(app.current_org_id(), v_day);
        v_count := v_count + 1;
    end loop;
    return v_count;
end $$;

comment on function app.reconcile is 'Brings the comparison of a period with OpenAI''s books up to date; returns the number of days compared.';
revoke execute on function app.reconcile from public, anon, authenticated, service_role;
grant execute on function app.reconcile to authenticated;
