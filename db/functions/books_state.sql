-- books_state(organization, day) → a text that changes whenever comparing the day again may give another result
--
-- For app.reconcile: row security does not apply.
create or replace function app.books_state(p_org_id uuid, p_day date) returns text
language sql stable
set search_path = ''
as $$
    select concat_ws(' ',
        (select d.n from public.openai_days d where d.org_id = p_org_id and d.day = p_day order by d.n desc limit 1),
        (select concat_ws(' ', sum(t.calls), trim_scale(sum(t.cost + t.corrections)), sum(t.tokens_in + t.tokens_out))
         from public.daily_totals t where t.org_id = p_org_id and t.day between p_day - 1 and p_day + 1),
        (select string_agg(s.cost_status || ':' || s.calls, ',' order by s.cost_status)
         from (select t.cost_status, sum(t.calls) as calls from public.daily_totals t
               where t.org_id = p_org_id and t.day between p_day - 1 and p_day + 1 group by 1) s),
        (select o.books from public.organizations o where o.id = p_org_id),
        (select count(*) from public.usage_logs u
         where u.org_id = p_org_id and u.state = 'open' and u.deadline_at < now()
           and u.started_at >= p_day::timestamp at time zone 'utc' and u.started_at < (p_day + 1)::timestamp at time zone 'utc'),
        (select count(*) || ':' || count(k.ended_at) from public.key_links k where k.org_id = p_org_id),
        (select max(a.at) from public.line_aliases a where a.org_id = p_org_id or a.org_id is null),
        (select count(*) from public.line_aliases a where a.org_id = p_org_id))
$$;

comment on function app.books_state is 'What the comparison of a day depends on, as text: equal as long as nothing changed.';
-- No grant: it reads the rows of any organization.
revoke execute on function app.books_state from public, anon, authenticated, service_role;
