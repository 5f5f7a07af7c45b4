-- sums_lack(from, to, words, filters) → the day (UTC) before which the sums of app.sums lack calls that were dropped; null: they lack none
--
-- Totals stay when calls are dropped. What they cannot answer, such as the models that one end user called, is added up from the
-- calls: of the months that were dropped such a sum has nothing, of later ones no correction of a dropped call. Arguments as
-- for app.sums.
create or replace function app.sums_lack(p_from timestamptz, p_to timestamptz, p_words text[], p_filters jsonb) returns date
language sql stable
set search_path = ''
set timezone = 'UTC'
as $$
    select c.since from (select app.calls_since() as since) c
    where app.sums_source(p_words, p_filters) is null and (exists (
            select from public.daily_totals d
            where d.org_id = (select app.current_org_id()) and d.day >= p_from::date and d.day < least(p_to, c.since::timestamptz))
        or exists (
            select from public.cost_adjustments a
            where a.org_id = (select app.current_org_id()) and a.at >= p_from and a.at < p_to and a.call_started_at < c.since::timestamptz))
$$;

comment on function app.sums_lack is 'The day before which sums of a question that totals do not answer lack dropped calls; null: they lack none.';
revoke execute on function app.sums_lack from public, anon, authenticated, service_role;
grant execute on function app.sums_lack to authenticated;
