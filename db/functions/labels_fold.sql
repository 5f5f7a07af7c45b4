-- labels_fold(month) → counts all end users and tags of a dropped month as (other); returns how many rows this saved
--
-- All sums of the month and of its hours stay as they are, also by tag name, but it no longer says which end users and which values
-- of tags there were. Only for months that app.retention_drop has dropped: no call or correction adds to these days any more.
create or replace function app.labels_fold(p_month date) returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_begin timestamptz := p_month::timestamp at time zone 'utc';
    v_end date := (p_month + interval '1 month')::date;
    v_table text;
    v_moment text;
    v_where text;
    v_rows bigint;
    v_saved bigint := 0;
begin
    if not exists (select from private.dropped_months m where m.month = p_month) then
        raise sqlstate 'PT409' using message = 'the calls of this month were not dropped', detail = 'month_attached';
    end if;
    if not exists (select from public.daily_labels d where d.day >= p_month and d.day < v_end
        and d.kind in ('end_user', 'tag') and d.label <> '(other)' and d.label not like '%=(other)')
    then
        return 0;
    end if;
    for v_table, v_moment, v_where in values
        ('daily_labels', 'day', format('d.day >= %L and d.day < %L', p_month, v_end)),
        ('hourly_labels', 'hour', format('d.hour >= %L and d.hour < %L', v_begin, v_end::timestamp at time zone 'utc'))
    loop
        execute format($sql$
            create temporary table folded on commit drop as
                select d.org_id, d.kind, d.%I, case when d.kind = 'tagged' then ''
                        when d.kind = 'end_user' or d.label = '(other)' then '(other)'
                        else substring(d.label from '^[^=]*=') || '(other)' end as label,
                    d.project_id, d.api_key_id, d.upstream, 64 as slot, sum(d.calls) as calls, sum(d.tokens_in) as tokens_in,
                    sum(d.tokens_cached) as tokens_cached, sum(d.tokens_out) as tokens_out, sum(d.cost) as cost,
                    sum(d.unpriced_calls) as unpriced_calls, sum(d.no_usage_calls) as no_usage_calls,
                    sum(d.error_calls) as error_calls, sum(d.adjustments) as adjustments, sum(d.corrections) as corrections
                from public.%I d where %s
                group by 1, 2, 3, 4, 5, 6, 7
        $sql$, v_moment, v_table, v_where);
        execute format('delete from public.%I d where %s', v_table, v_where);
        get diagnostics v_rows = row_count;
        v_saved := v_saved + v_rows;
        execute format('insert into public.%I (org_id, kind, %I, label, project_id, api_key_id, upstream, slot, calls, tokens_in,
            tokens_cached, tokens_out, cost, unpriced_calls, no_usage_calls, error_calls, adjustments, corrections)
            select * from pg_temp.folded', v_table, v_moment);
        get diagnostics v_rows = row_count;
        v_saved := v_saved - v_rows;
        drop table pg_temp.folded;
    end loop;
    delete from private.label_counts c where c.day >= p_month and c.day < v_end;
    return v_saved;
end $$;

comment on function app.labels_fold is
    'Counts the end users and tags of a dropped month as (other): its sums stay, what the labels were goes.';
-- No grant: for the operator, through flask retention.
revoke execute on function app.labels_fold from public, anon, authenticated, service_role;
