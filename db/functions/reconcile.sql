-- reconcile(from, until) → compares again the days whose books, calls, links or aliases changed; returns how many those are
--
-- For every member: a comparison is computed from what the member may read anyway. p_until is not included. At most 400 days.
create or replace function app.reconcile(p_from date, p_until date) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.current_org_id();
    v_day date;
    v_count integer := 0;
begin
    for v_day in
        select distinct d.day from public.openai_days d
        where d.org_id = v_org and d.day >= p_from and d.day < p_until and d.day < p_from + 400
        order by 1
    loop
        if not exists (select from public.reconciled_days r
                       where r.org_id = v_org and r.day = v_day and r.state = app.books_state(v_org, v_day)) then
            perform app.reconcile_day(v_org, v_day);
            v_count := v_count + 1;
        end if;
    end loop;
    return v_count;
end $$;

comment on function app.reconcile is 'Brings the comparison of a period with OpenAI''s books up to date; returns the number of days compared.';
revoke execute on function app.reconcile from public, anon, authenticated, service_role;
grant execute on function app.reconcile to authenticated;
