-- calls_sum(from, to, filters, most) → the sums of the calls that fit, for the head of a list of calls; always one row
--
-- Of the calls themselves: cost is what they cost as settled, without the corrections that app.sums counts on the day on which they
-- were booked; those are adjustments. tokens: in and out. p_filters: see app.calls_sql. No sums are kept by WebSocket session: the
-- calls of one are few, and added up.
--
-- p_most: so many calls may be read where no totals answer (see app.sums_source), such as for the models that one end user called;
-- null: any number. A row of nulls where it would be more.
create or replace function app.calls_sum(p_from timestamptz, p_to timestamptz, p_filters jsonb, p_most bigint)
returns table (
    calls bigint, tokens bigint, cost numeric, unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint,
    error_calls bigint, adjustments numeric
)
language plpgsql stable
set search_path = ''
as $$
declare
    -- Which labels a day counts as (other), only its calls know.
    v_words text[] := case when app.labels_other(p_from, p_to, p_filters) then '{calls}' else '{}' end;
begin
    if p_filters ? 'session' then
        return query execute format($sql$
            select count(*), coalesce(sum(coalesce(e.tokens_in, 0) + coalesce(e.tokens_out, 0)), 0)::bigint, coalesce(sum(e.cost), 0),
                coalesce(sum(e.unpriced_calls), 0), coalesce(sum(e.no_usage_calls), 0), coalesce(sum(e.in_doubt_calls), 0),
                coalesce(sum(e.error_calls), 0), 0::numeric
            from (%s) e
        $sql$, app.calls_sql(p_filters)) using p_filters, p_from, p_to;
    elsif app.sums_source(v_words, p_filters) is null and p_most < (
        select sum(s.calls) from app.sums(p_from, p_to, '{}', p_filters - '{end_user,tag,not_end_user,not_tag}'::text[], 'UTC', null, '{calls}') s) then
        return query select null::bigint, null::bigint, null::numeric, null::bigint, null::bigint, null::bigint, null::bigint, null::numeric;
    else
        return query
        select coalesce(sum(s.calls), 0)::bigint, coalesce(sum(s.tokens_in + s.tokens_out), 0)::bigint,
            coalesce(sum(s.cost - s.adjustments), 0), coalesce(sum(s.unpriced_calls), 0)::bigint,
            coalesce(sum(s.no_usage_calls), 0)::bigint, coalesce(sum(s.in_doubt_calls), 0)::bigint,
            coalesce(sum(s.error_calls), 0)::bigint, coalesce(sum(s.adjustments), 0)
        from app.sums(p_from, p_to, v_words, p_filters, 'UTC', null, null) s;
    end if;
end $$;

comment on function app.calls_sum is 'Sums of the calls of a period that fit filters; always one row.';
revoke execute on function app.calls_sum from public, anon, authenticated, service_role;
grant execute on function app.calls_sum to authenticated;
