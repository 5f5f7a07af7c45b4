-- usage(from, to, groups, filters, zone) → spend of a period, one row per group
--
-- With the caller's own rights, so row level security decides. p_from inclusive, p_to exclusive. p_group: one of hour, day,
-- week, month, those of the calendar of p_zone (bar: when it begins; day: its date), and any of project, model, key, endpoint,
-- service_tier, status, end_user, tag, person (who made the key). p_filters: {"project": [...], "model": [...], …}, each a list of
-- words (see app.filter_sql).
--
-- cost is as reported: calls of the period, and corrections booked in it (adjustments: their part of cost). cost_corrected is
-- as known today: calls of the period with all their corrections. Two halves of a period add up to the whole.
create or replace function app.usage(p_from timestamptz, p_to timestamptz, p_group text[], p_filters jsonb, p_zone text)
returns table (
    bar timestamptz, day date, project_id uuid, project text, key_id uuid, key text, key_prefix text, model text, endpoint text,
    service_tier text, status integer, end_user text, tag text, person_id uuid, person text,
    calls bigint, tokens_in bigint, tokens_cached bigint, tokens_out bigint, cost numeric,
    unpriced_calls bigint, no_usage_calls bigint, in_doubt_calls bigint, error_calls bigint,
    adjustments numeric, cost_corrected numeric
)
language sql stable
set search_path = ''
as $$
    select n.bar, n.day, n.project_id, p.name, n.key_id, k.name, k.prefix, n.model, n.endpoint, n.service_tier, n.status, n.end_user, n.tag,
           n.person_id, m.email,
           n.calls, n.tokens_in, n.tokens_cached, n.tokens_out, n.cost, n.unpriced_calls, n.no_usage_calls, n.in_doubt_calls, n.error_calls,
           n.adjustments, n.cost_corrected
    from app.sums(p_from, p_to, p_group, p_filters, p_zone, null, null) n
    left join public.projects p on p.id = n.project_id
    left join public.api_keys k on k.id = n.key_id
    left join public.members m on m.user_id = n.person_id
    order by n.bar, n.cost desc, n.calls desc, p.name, k.name, n.model, n.endpoint, n.status, n.end_user, n.tag, m.email, n.person_id
$$;

comment on function app.usage is
    'Spend of a period grouped by hour, day, week or month, project, model, key, endpoint, service_tier, status, end_user, tag or person.';
revoke execute on function app.usage from public, anon, authenticated, service_role;
grant execute on function app.usage to authenticated;
