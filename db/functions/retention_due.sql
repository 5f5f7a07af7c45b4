-- retention_due(months) → months of usage_logs that are older than p_months whole months, the oldest first
--
-- state: attached, detaching (a run of flask retention was cut off in the middle) or detached. open: how many calls were never
-- settled. A month with such calls must stay until they are closed, because they are in no daily total.
create or replace function app.retention_due(p_months integer)
returns table (month date, partition text, state text, calls bigint, open bigint)
language plpgsql stable
set search_path = ''
as $$
begin
    for month, partition, state in
        select to_date(right(c.relname, 7), 'YYYY_MM'), c.relname::text,
            case when i.inhrelid is null then 'detached' when i.inhdetachpending then 'detaching' else 'attached' end
        from pg_catalog.pg_class c
        left join pg_catalog.pg_inherits i on i.inhrelid = c.oid and i.inhparent = 'public.usage_logs'::regclass
        where c.relnamespace = 'private'::regnamespace and c.relkind = 'r' and c.relname ~ '^usage_logs_\d{4}_\d{2}$'
          and to_date(right(c.relname, 7), 'YYYY_MM') < date_trunc('month', now() at time zone 'utc') - make_interval(months => p_months)
        order by c.relname
    loop
        execute format('select count(*), count(*) filter (where u.state = ''open'') from private.%I u', partition) into calls, open;
        return next;
    end loop;
end $$;

comment on function app.retention_due is
    'Months of usage_logs older than a number of whole months, with how many calls they have.';
-- No grant: for the operator, through flask retention.
revoke execute on function app.retention_due from public, anon, authenticated, service_role;
