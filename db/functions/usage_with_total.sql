-- usage_with_total(from, to, groups, filters, zone) → the rows of app.usage, and after them one more with the sums of the whole period
--
-- One statement sees one state of the ledger: the total is that of the rows, whatever is settled meanwhile. It is no sum of
-- the rows: a call with several tags is in several of them. Without any call there is no total either. Where a day counts an end
-- user or tag of the filters as (other), the rows of some groups are read from the calls, which know it: then the total is, too.
-- Arguments as for app.usage; is_total tells the last row from the others.
create or replace function app.usage_with_total(p_from timestamptz, p_to timestamptz, p_group text[], p_filters jsonb, p_zone text)
returns table (
    is_total boolean, bar timestamptz, day date, project_id uuid, project text, key_id uuid, key text, key_prefix text, model text, endpoint text,
    service_tier text, status integer, end_user text, tag text, person_id uuid, person text,
    calls bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric,
    unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint,
    adjustments numeric, cost_corrected numeric
)
language sql stable
set search_path = ''
as $$
    with answer as (
        select false as is_total, u.* from app.usage(p_from, p_to, p_group, p_filters, p_zone) with ordinality u
        union all
        select true, u.* from app.usage(p_from, p_to, case
            when app.sums_source(p_group, p_filters) is null and app.labels_other(p_from, p_to, p_filters)
            then '{calls}' else '{}'::text[] end, p_filters, p_zone) with ordinality u
    )
    select a.is_total, a.bar, a.day, a.project_id, a.project, a.key_id, a.key, a.key_prefix, a.model, a.endpoint, a.service_tier, a.status,
        a.end_user, a.tag, a.person_id, a.person, a.calls, a.tokens_in, a.tokens_cached, a.tokens_out, a.cost, a.unpriced_calls, a.no_usage_calls,
        a.in_doubt_calls, a.error_calls, a.adjustments, a.cost_corrected
    from answer a
    order by a.is_total, a.ordinality
$$;

comment on function app.usage_with_total is 'Spend of a period by group, as app.usage, and its total as the last row.';
revoke execute on function app.usage_with_total from public, anon, authenticated, service_role;
grant execute on function app.usage_with_total to authenticated;
