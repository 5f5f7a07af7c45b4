-- books_doubts(organization, from, until) → spans of time whose minutes at OpenAI are worth fetching; p_until is not included
--
-- In whole minutes, since inclusive, until exclusive: when a call was under way that is in doubt or was settled without usage.
-- One minute of OpenAI's Usage API may prove its usage, see app.call_evidence. Spans that touch are one. Row security applies:
-- of another organization it finds none.
create or replace function app.books_doubts(p_org_id uuid, p_from date, p_until date)
returns table (since timestamptz, until timestamptz)
language sql stable
set search_path = ''
as $$
    with spans as (
        select tstzrange(date_trunc('minute', u.started_at, 'utc'), date_trunc('minute',
                greatest(u.started_at, case when u.state = 'settled' then u.settled_at else least(u.deadline_at, now()) end), 'utc')
                + interval '1 minute')
            * tstzrange(p_from::timestamp at time zone 'utc', p_until::timestamp at time zone 'utc') as span
        from public.usage_logs u
        join public.organizations o on o.id = u.org_id and o.books = u.upstream
        where u.org_id = p_org_id and u.provider_key_id is not null
          and u.started_at >= (p_from - 1)::timestamp at time zone 'utc' and u.started_at < p_until::timestamp at time zone 'utc'
          and (u.state = 'open' and u.deadline_at < now()
               or u.state = 'settled' and u.cost_status in ('no_usage', 'pending_object') and u.cost is null)
    )
    select lower(s.span), upper(s.span)
    from (select unnest(range_agg(p.span)) as span from spans p where not isempty(p.span)) s order by 1
$$;

comment on function app.books_doubts is 'When calls in doubt or without usage were under way: flask books fetch keeps OpenAI''s minutes of these times.';
revoke execute on function app.books_doubts from public, anon, authenticated, service_role;
grant execute on function app.books_doubts to authenticated;
