-- month_report(first day of a month) → app.month_report_of for the own organization: as frozen when the month is closed, else as of now
create or replace function app.month_report(p_month date) returns jsonb
language sql stable security definer
set search_path = ''
as $$
    select coalesce(
        (select c.report from public.month_closes c join app.month_of(app.current_org_id(), p_month) m on m.close_id = c.id),
        app.month_report_of(app.current_org_id(), p_month))
    where app.current_org_id() is not null
$$;

comment on function app.month_report is 'Spend of a month by project, key, model, tag and person: frozen once the month is closed.';
revoke execute on function app.month_report from public, anon, authenticated, service_role;
grant execute on function app.month_report to authenticated;
