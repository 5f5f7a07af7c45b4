-- sums(from, to, words, filters) → sums of a period, one row per group; app.usage, app.spend_cells and others read them
--
-- With the caller's own rights, so row level security decides. p_from inclusive, p_to exclusive. p_words: what to group by: any
-- of day or week (its Monday), project, key, model, endpoint, service_tier, status, end_user, tag. p_filters: see
-- app.filter_sql. A call with several tags counts in the row of each, a call without in the row without a tag.
--
-- Whole days are read from daily totals and daily labels, so ten million calls take no longer than ten thousand. The calls
-- themselves are added up only for the parts of days at both ends, and for questions that daily labels cannot answer, such as
-- the models that one end user called (see app.sums_source).
create or replace function app.sums(p_from timestamptz, p_to timestamptz, p_words text[], p_filters jsonb)
returns table (
    day date, project_id uuid, key_id uuid, model text, endpoint text, service_tier text, status integer, end_user text, tag text,
    calls bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric,
    unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint,
    adjustments numeric, cost_corrected numeric
)
language plpgsql stable
set search_path = ''
set timezone = 'UTC'  -- in a session's own time zone, adding a day may add 23 hours
as $$
declare
    v_source text := app.sums_source(p_words, p_filters);
    v_first timestamptz := date_trunc('day', p_from + interval '1 day' - interval '1 microsecond', 'UTC');  -- the first whole day
    v_end timestamptz := date_trunc('day', p_to, 'UTC');
    v_corrected boolean := exists (select from public.cost_adjustments a where a.org_id = (select app.current_org_id())
        and (a.at >= p_from and a.at < p_to or a.call_started_at >= p_from and a.call_started_at < p_to));
    v_parts text[];
begin
    if v_source is null or v_first >= v_end then
        v_parts := array[app.sums_entries('calls', p_from, p_to, p_filters, v_corrected)];
    else
        v_parts := array[app.sums_entries(v_source, v_first, v_end, p_filters, false)];
        if v_source <> 'all' and not p_filters ? v_source then  -- calls without a label count too: all calls less those with one
            v_parts := v_parts || app.sums_entries('all', v_first, v_end, p_filters, false)
                || app.sums_entries('-' || v_source, v_first, v_end, p_filters, false);
        end if;
        if p_from < v_first then
            v_parts := v_parts || app.sums_entries('calls', p_from, v_first, p_filters, v_corrected);
        end if;
        if v_end < p_to then
            v_parts := v_parts || app.sums_entries('calls', v_end, p_to, p_filters, v_corrected);
        end if;
    end if;
    return query execute format($sql$
        select
            case when 'day' = any ($2) then e.day when 'week' = any ($2) then e.day - mod(e.day - '0001-01-01'::date, 7) end,
            case when 'project' = any ($2) then e.project_id end,
            case when 'key' = any ($2) then e.api_key_id end,
            case when 'model' = any ($2) then e.model end,
            case when 'endpoint' = any ($2) then e.endpoint end,
            case when 'service_tier' = any ($2) then e.service_tier end,
            case when 'status' = any ($2) then e.status_code end,
            case when 'end_user' = any ($2) then e.end_user end,
            case when 'tag' = any ($2) then e.tag end,
            sum(e.calls)::bigint, coalesce(sum(e.tokens_in), 0)::bigint, coalesce(sum(e.tokens_cached), 0)::bigint,
            coalesce(sum(e.tokens_out), 0)::bigint, coalesce(sum(e.cost), 0), coalesce(sum(e.unpriced_calls), 0)::bigint,
            coalesce(sum(e.no_usage_calls), 0)::bigint, coalesce(sum(e.in_doubt_calls), 0)::bigint,
            coalesce(sum(e.error_calls), 0)::bigint, coalesce(sum(e.adjustments), 0), coalesce(sum(e.cost_corrected), 0)
        from (%s) e (day, project_id, api_key_id, model, endpoint, service_tier, status_code, end_user, tag, calls, tokens_in,
            tokens_cached, tokens_out, cost, unpriced_calls, no_usage_calls, in_doubt_calls, error_calls, adjustments, cost_corrected)
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9
        having sum(e.calls) <> 0 or sum(e.adjustments) <> 0
    $sql$, array_to_string(v_parts, ' union all '))
    using p_filters, p_words;
end $$;

comment on function app.sums is
    'Sums of a period by day, week, project, key, model, endpoint, service_tier, status, end_user or tag.';
revoke execute on function app.sums from public, anon, authenticated, service_role;
grant execute on function app.sums to authenticated;
