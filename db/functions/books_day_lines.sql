-- books_day_lines(day) → the lines of OpenAI's bill for a day as they came, each with the name under which it is compared
--
-- line: that name, equal to reconciliation_lines.line for lines that are compared with the ledger. The largest amount first.
create or replace function app.books_day_lines(p_day date)
returns table (
    n bigint, line_item text, line text, openai_key_id text, openai_key text, openai_project_id text, openai_project text,
    quantity numeric, quantity_unit text, amount numeric
)
language sql stable
set search_path = ''
as $$
    select row_number() over (order by abs(d.amount) desc, d.line_item, d.openai_key_id, d.openai_project_id), d.line_item, o.line,
        d.openai_key_id, d.openai_key, d.openai_project_id, d.openai_project, d.quantity, d.quantity_unit, d.amount
    from public.openai_daily d
    cross join lateral app.openai_line(d.org_id, d.line_item, p_day::timestamp at time zone 'utc') o
    where d.org_id = (select app.current_org_id()) and d.day = p_day
    order by 1
$$;

comment on function app.books_day_lines is 'Lines of OpenAI''s bill for a day, with the names under which they are compared.';
revoke execute on function app.books_day_lines from public, anon, authenticated, service_role;
grant execute on function app.books_day_lines to authenticated;
