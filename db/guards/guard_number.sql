-- guard_number(): trigger before an insert; n becomes the next number of the organization in the table, whatever the statement says
--
-- Two inserts at the same moment may get one number; the unique index on (org_id, n) then refuses the second. What inserts
-- locks the organization before (app.books_store, app.month_close_for).
create or replace function private.guard_number() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    execute format('select coalesce(max(t.n), 0) + 1 from %I.%I t where t.org_id = $1', tg_table_schema, tg_table_name)
    into new.n using new.org_id;
    return new;
end $$;

comment on function private.guard_number is 'Trigger: numbers the rows of each organization in a table by themselves.';
-- No grant: triggers need none.
revoke execute on function private.guard_number from public, anon, authenticated, service_role;
