-- calls_sql(filters) → the text of a query for the calls of a period that fit the filters; part of calls_page, calls_ranked and
-- calls_sum
--
-- In the text $1 stands for the filters (see app.filter_sql), $2 and $3 for the period. Its rows have id and the columns of
-- booked_calls. One filter is only for calls, because no sum is kept by it: {"session": [ids of WebSocket sessions]}.
create or replace function app.calls_sql(p_filters jsonb) returns text
language sql immutable
set search_path = ''
as $$
    select $sql$
        select e.call_id as id, e.* from public.booked_calls e
        where e.org_id = (select app.current_org_id()) and e.at >= $2 and e.at < $3 $sql$ || app.filter_sql(p_filters, false)
        || case when p_filters ? 'session' then
            $sql$ and e.session_id = any (array(select x::uuid from jsonb_array_elements_text($1 -> 'session') x)) $sql$ else '' end
$$;

comment on function app.calls_sql is
    'Text of the query for the calls of a period that fit filters. Part of calls_page, calls_ranked and calls_sum.';
revoke execute on function app.calls_sql from public, anon, authenticated, service_role;
grant execute on function app.calls_sql to authenticated;
