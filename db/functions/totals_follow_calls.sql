-- totals_follow_calls(): trigger of usage_logs; adds settled calls, and costs that are filled in later, to the daily totals
--
-- It runs in the statement that changes the calls, so both are committed together. Open calls are in no daily total. When a
-- cost is filled in, the call as it was is subtracted and the call as it is now added.
create or replace function app.totals_follow_calls() returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_entries app.total_entry[];
begin
    if tg_op = 'INSERT' then
        v_entries := array(select app.total_entry_of(n, 1) from new_calls n where n.state = 'settled');
    else
        v_entries := array(
            select app.total_entry_of(n, 1) from new_calls n where n.state = 'settled'
            union all
            select app.total_entry_of(o, -1) from old_calls o where o.state = 'settled');
    end if;
    if v_entries <> '{}' then
        perform app.totals_add(v_entries);
    end if;
    return null;
end $$;

comment on function app.totals_follow_calls is
    'Trigger: keeps daily_totals and daily_labels equal to the sums of usage_logs.';
-- No grant: triggers need none.
revoke execute on function app.totals_follow_calls from public, anon, authenticated, service_role;

create or replace trigger totals_follow_insert after insert on public.usage_logs
    referencing new table as new_calls for each statement execute function app.totals_follow_calls();
create or replace trigger totals_follow_update after update on public.usage_logs
    referencing old table as old_calls new table as new_calls for each statement execute function app.totals_follow_calls();
