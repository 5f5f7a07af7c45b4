-- ensure_partition(day) → makes the partition of usage_logs for the month of that day; false where it exists already
--
-- It is made as a separate table and then attached: the lock for attaching holds up no call, that of `partition of` holds up all.
-- In schema private and without rights for anyone, because row level security of usage_logs does not hold for its partitions.
create or replace function app.ensure_partition(p_day date) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
    v_from timestamptz := date_trunc('month', p_day::timestamp) at time zone 'utc';
    v_to timestamptz := (date_trunc('month', p_day::timestamp) + interval '1 month') at time zone 'utc';
    v_name text := 'usage_logs_' || to_char(p_day, 'YYYY_MM');
begin
    if to_regclass('private.' || v_name) is not null then
        return false;
    end if;
    execute format('create table private.%I (like public.usage_logs including defaults including constraints including indexes)', v_name);
    execute format('revoke all on private.%I from public, anon, authenticated, service_role', v_name);
    execute format('alter table private.%I enable row level security', v_name);
    execute format('create trigger guard_truncate before truncate on private.%I '
                   'for each statement execute function private.refuse_change()', v_name);
    perform app.statistics_off();  -- the new table would have statistics
    execute format('alter table public.usage_logs attach partition private.%I for values from (%L) to (%L)', v_name, v_from, v_to);
    return true;
exception when duplicate_table or duplicate_object or unique_violation then
    return false;  -- another session is making it at this moment; which error that is depends on how far it got
end $$;

comment on function app.ensure_partition is
    'Makes the monthly partition of usage_logs that a day falls into, if it is missing.';
revoke execute on function app.ensure_partition from public, anon, authenticated, service_role;
grant execute on function app.ensure_partition to spendai_proxy;
