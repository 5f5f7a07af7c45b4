-- month_close(first day of a month, note, invoice or null, confirmed) → id of the frozen month: an admin closes a month of OpenAI's books
--
-- What is refused, and why: see app.month_close_for and app.month_refuse.
create or replace function app.month_close(p_month date, p_note text, p_invoice numeric, p_confirm boolean) returns uuid
language sql security definer
set search_path = ''
as $$ select app.month_close_for(app.require_admin(), p_month, p_note, p_invoice, p_confirm) $$;

comment on function app.month_close is 'Closes a month of the admin''s organization: its sums are frozen, later changes are shown as differences.';
revoke execute on function app.month_close from public, anon, authenticated, service_role;
grant execute on function app.month_close to authenticated;
