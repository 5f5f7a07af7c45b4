-- calls_places(from, to, filters) → days and keys with calls that may fit the filters, and at most how many; part of calls_page
--
-- Read from daily totals and daily labels, each of which answers some of the filters: daily totals have no end user and no tag,
-- and daily labels have no model and no status. calls is the smallest of their counts: a day and key may have fewer calls that
-- fit all filters at once. Days and keys that are left out have none. Filters that leave out end users or tags, or that ask for
-- calls without any (an empty word), are answered by no daily label and leave every day in. A day that counts some labels as (other)
-- (see app.labels_beyond) may have the one that is asked for among them.
create or replace function app.calls_places(p_from timestamptz, p_to timestamptz, p_filters jsonb)
returns table (day date, api_key_id uuid, calls bigint)
language plpgsql stable
set search_path = ''
as $$
declare
    v_sql text := format($sql$
        select e.day, e.api_key_id, sum(e.calls)::bigint as calls from public.daily_entries e
        where e.org_id = (select app.current_org_id()) and e.day >= $2 and e.day <= $3 %s
        group by 1, 2 having sum(e.calls) > 0
    $sql$, app.filter_sql(p_filters - '{end_user,tag,not_end_user,not_tag}'::text[], false));
    v_kind text;
begin
    foreach v_kind in array '{end_user,tag}'::text[] loop
        if p_filters ? v_kind and not p_filters -> v_kind ? '' then
            v_sql := format($sql$
                select a.day, a.api_key_id, least(a.calls, b.calls) as calls from (%s) a join (
                    select e.day, e.api_key_id, sum(e.calls)::bigint as calls from public.daily_label_entries e
                    where e.org_id = (select app.current_org_id()) and e.kind = %L and e.day >= $2 and e.day <= $3
                      and (right(e.label, 7) = '(other)' or true %s)
                    group by 1, 2 having sum(e.calls) > 0
                ) b using (day, api_key_id)
            $sql$, v_sql, v_kind, app.filter_sql(jsonb_build_object(v_kind, p_filters -> v_kind), true));
        end if;
    end loop;
    return query execute v_sql
    using p_filters, (p_from at time zone 'utc')::date, (p_to at time zone 'utc')::date;
end $$;

comment on function app.calls_places is
    'Days and keys with calls that may fit the filters, from the daily totals. Part of calls_page.';
revoke execute on function app.calls_places from public, anon, authenticated, service_role;
grant execute on function app.calls_places to authenticated;
