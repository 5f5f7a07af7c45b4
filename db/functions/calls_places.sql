-- calls_places(from, to, filters) → days and keys that may have calls that fit, and at most how many; part of calls_page
--
-- From the sums kept per day: those of all calls know nothing of end users and tags, those of end users and tags little else.
-- So there may be fewer calls that fit, but never one anywhere else.
create or replace function app.calls_places(p_from timestamptz, p_to timestamptz, p_filters jsonb)
returns table (day date, api_key_id uuid, calls bigint)
language plpgsql stable
set search_path = ''
as $$
declare
    c_group constant text := ' and e.org_id = (select app.current_org_id()) and e.day >= $2 and e.day <= $3'
        ' group by 1, 2 having sum(e.calls) > 0';
    v_sql text := 'select e.day, e.api_key_id, sum(e.calls)::bigint as calls from public.daily_entries e where true'
        || app.filter_sql(p_filters - 'end_user' - 'tag', false) || c_group;
    v_kind text;
begin
    foreach v_kind in array '{end_user,tag}'::text[] loop
        if p_filters ? v_kind then
            v_sql := format(
                'select a.day, a.api_key_id, least(a.calls, b.calls) as calls from (%s) a join (
                    select e.day, e.api_key_id, sum(e.calls)::bigint as calls from public.daily_label_entries e where e.kind = %L%s%s
                ) b using (day, api_key_id)',
                v_sql, v_kind, app.filter_sql(jsonb_build_object(v_kind, p_filters -> v_kind), true), c_group);
        end if;
    end loop;
    return query execute v_sql
    using p_filters, (p_from at time zone 'utc')::date, (p_to at time zone 'utc')::date;
end $$;

comment on function app.calls_places is 'Days and keys on which calls may fit filters, from the sums kept per day. Part of calls_page.';
revoke execute on function app.calls_places from public, anon, authenticated, service_role;
grant execute on function app.calls_places to authenticated;
