-- day_settled(organization, day) → whether the last two complete fetches of a day (UTC) were made after its end and name the same dollars
--
-- Dollars are compared for each project and line item. Keys and quantities are not, because a file exported from OpenAI's
-- dashboard has neither.
create or replace function app.day_settled(p_org_id uuid, p_day date) returns boolean
language sql stable
set search_path = ''
as $$
    with newest as (
        select d.fetch_id, d.whole from public.openai_days d where d.org_id = p_org_id and d.day = p_day order by d.n desc limit 2
    ), lines as (
        select l.fetch_id, l.openai_project_id, l.line_item, sum(l.amount) as amount
        from newest n join public.openai_cost_lines l on l.fetch_id = n.fetch_id and l.org_id = p_org_id and l.day = p_day
        group by 1, 2, 3
        having sum(l.amount) <> 0
    )
    select (select count(*) = 2 and bool_and(n.whole) from newest n)
        and not exists (select from lines l group by l.openai_project_id, l.line_item
                        having count(*) <> 2 or min(l.amount) <> max(l.amount))
$$;

comment on function app.day_settled is 'Whether OpenAI''s books said the same dollars about a day twice in a row, after it had ended.';
-- No grant: part of app.month_of, for any organization.
revoke execute on function app.day_settled from public, anon, authenticated, service_role;
