-- months_dropped() → first days of the months (UTC) whose calls were dropped, or that flask retention has begun to take out
--
-- Between its two steps, taking a month out of usage_logs and dropping it, the second time that the month is archived may take
-- long or fail: usage_logs lacks the calls already, and private.dropped_months does not name the month yet.
create or replace function app.months_dropped() returns setof date
language sql stable
set search_path = ''
as $$
    select m.month from private.dropped_months m
    union
    select to_date(right(c.relname, 7), 'YYYY_MM') from pg_catalog.pg_class c
    where c.relnamespace = 'private'::regnamespace and c.relkind = 'r' and c.relname ~ '^usage_logs_\d{4}_\d{2}$'
      and not exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid and not i.inhdetachpending)
$$;

comment on function app.months_dropped is 'Months of which usage_logs has no calls any more.';
-- No grant: part of books_to_compare, focus_charges, focus_dropped, reconcile_day and totals_differences.
revoke execute on function app.months_dropped from public, anon, authenticated, service_role;
