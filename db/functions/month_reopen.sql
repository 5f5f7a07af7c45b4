-- month_reopen(first day of a month, note): an admin reopens a closed month; what was frozen stays readable
create or replace function app.month_reopen(p_month date, p_note text) returns void
language sql security definer
set search_path = ''
as $$ select app.month_reopen_for(app.require_admin(), p_month, p_note) $$;

comment on function app.month_reopen is 'Reopens a closed month of the admin''s organization, with a note that says why.';
revoke execute on function app.month_reopen from public, anon, authenticated, service_role;
grant execute on function app.month_reopen to authenticated;
