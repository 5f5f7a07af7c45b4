-- retention_drop(month, reason, archive hash) → drops a month of usage_logs that is already detached; returns how many calls were in it
--
-- flask retention detaches it before, in a statement of its own (concurrently, so that no call waits). Totals and labels of days
-- and hours, corrections and the audit log stay. The audit log gets a line for each organization that had calls in the month.
-- WebSocket sessions go with their last call, see retention_sessions. What is remembered of objects at OpenAI goes with the call that
-- made them: without it nothing can be filled in, and no organization reaches them by it.
create or replace function app.retention_drop(p_month date, p_reason text, p_archive_hash text) returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_partition text := 'usage_logs_' || to_char(p_month, 'YYYY_MM');
    v_org record;
    v_calls bigint := 0;
begin
    if exists (select from pg_catalog.pg_inherits i where i.inhrelid = to_regclass('private.' || v_partition)) then
        raise sqlstate 'PT409' using message = 'the month is still part of usage_logs', detail = 'month_attached';
    end if;
    for v_org in execute format('select u.org_id, count(*) as calls from private.%I u group by 1', v_partition) loop
        perform app.audit(v_org.org_id, 'calls.dropped', null,
            jsonb_build_object('month', to_char(p_month, 'YYYY-MM'), 'calls', v_org.calls, 'reason', p_reason));
        v_calls := v_calls + v_org.calls;
    end loop;
    delete from private.seen_responses s
    where s.started_at >= p_month::timestamp at time zone 'utc' and s.started_at < (p_month + interval '1 month') at time zone 'utc';
    delete from private.upstream_objects o
    where o.started_at >= p_month::timestamp at time zone 'utc' and o.started_at < (p_month + interval '1 month') at time zone 'utc';
    delete from public.websocket_sessions s where s.id in (select r.id from app.retention_sessions(p_month) r);
    delete from private.label_counts c where c.day >= p_month and c.day < p_month + interval '1 month';
    execute format('drop table private.%I', v_partition);
    -- Without hours: a month that was detached before its calls were added up by the hour, and is dropped only now.
    insert into private.dropped_months (month, calls, reason, archive_hash, has_hours)
    select p_month, v_calls, p_reason, p_archive_hash, v_calls = 0 or exists (
        select from public.hourly_totals h where h.hour >= p_month::timestamp at time zone 'utc'
            and h.hour < (p_month + interval '1 month') at time zone 'utc');
    return v_calls;
end $$;

comment on function app.retention_drop is
    'Drops a detached month of usage_logs, with a line in the audit log of each organization.';
-- No grant: for the operator, through flask retention.
revoke execute on function app.retention_drop from public, anon, authenticated, service_role;
