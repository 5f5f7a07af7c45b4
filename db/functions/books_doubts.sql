-- books_doubts(organization, from, until) → days of which OpenAI's minutes are worth fetching
--
-- Days (UTC) on which a call was under way that is in doubt or was settled without usage: one minute of OpenAI's Usage API may
-- prove its usage, see app.call_evidence. p_until is not included. Row security applies: of another organization it finds none.
create or replace function app.books_doubts(p_org_id uuid, p_from date, p_until date) returns table (day date)
language sql stable
set search_path = ''
as $$
    select distinct d.day::date
    from public.usage_logs u
    join public.organizations o on o.id = u.org_id and o.books = u.upstream
    cross join lateral generate_series(
        (u.started_at at time zone 'utc')::date::timestamp,
        (case when u.state = 'settled' then u.settled_at else least(u.deadline_at, now()) end at time zone 'utc')::date::timestamp,
        interval '1 day') as d (day)
    where u.org_id = p_org_id and u.provider_key_id is not null
      and u.started_at >= (p_from - 1)::timestamp at time zone 'utc' and u.started_at < p_until::timestamp at time zone 'utc'
      and (u.state = 'open' and u.deadline_at < now()
           or u.state = 'settled' and u.cost_status in ('no_usage', 'pending_object') and u.cost is null)
      and d.day >= p_from and d.day < p_until
    order by 1
$$;

comment on function app.books_doubts is 'Days with calls in doubt or without usage, of which flask books fetch reads OpenAI''s minutes too.';
revoke execute on function app.books_doubts from public, anon, authenticated, service_role;
grant execute on function app.books_doubts to authenticated;
