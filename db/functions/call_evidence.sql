-- call_evidence(organization, day) → calls of the day whose usage the ledger does not know but OpenAI's minutes show
--
-- A call in doubt, or settled without usage, is proven by a minute in which OpenAI counted exactly one request of its key and
-- model, while no other call of that key and model was under way: between its arrival and its end, or its deadline. Two such
-- minutes prove nothing. Needs the link of its provider key and the minutes that `flask books fetch` reads around such calls.
--
-- reason: in_doubt or no_usage. usage: see app.minute_usage. cost, cost_lines: what that usage costs at the organization's prices
-- when the call arrived; cost is null where a price is missing. tier: service_tier of OpenAI's minute.
-- For app.reconcile_day and app.evidence_list: row security does not apply.
create or replace function app.call_evidence(p_org_id uuid, p_day date)
returns table (
    call_id uuid, started_at timestamptz, reason text, model text, minute timestamptz, usage jsonb, cost numeric, cost_lines jsonb,
    tier text
)
language sql stable
set search_path = ''
as $$
    with calls as (
        select u.id, u.started_at, u.endpoint, u.model_requested, l.openai_key_id, coalesce(u.model, u.model_requested) as model, u.batch,
            date_trunc('minute', u.started_at, 'utc') as since,
            case when u.state = 'settled' then coalesce(u.started_at + u.latency_ms * interval '1 ms', u.settled_at) else least(u.deadline_at, now()) end as until,
            case when u.state = 'open' and u.deadline_at < now() then 'in_doubt'
                when u.state = 'settled' and u.cost_status in ('no_usage', 'pending_object') and u.cost is null then 'no_usage' end as reason
        from public.usage_logs u
        join public.organizations o on o.id = u.org_id and o.books = u.upstream
        join public.key_links l on l.org_id = u.org_id and l.version_id = u.provider_key_id and l.ended_at is null
        where u.org_id = p_org_id and u.started_at >= (p_day - 1)::timestamp at time zone 'utc'
          and u.started_at < (p_day + 1)::timestamp at time zone 'utc'
    ), names as (
        select n.name, coalesce(m.model, regexp_replace(lower(n.name), '-20\d\d-\d\d-\d\d$', '')) as model
        from (select c.model as name from calls c where c.model is not null
              union select u.model from public.openai_usage_lines u where u.org_id = p_org_id and u.width = '1m' and u.model is not null
              and u.start_at >= p_day::timestamp at time zone 'utc' and u.start_at < (p_day + 2)::timestamp at time zone 'utc') n
        left join lateral app.price_model_of(p_org_id, n.name, p_day::timestamp at time zone 'utc') m on true
    ), asked as (
        select c.*, n.model as price_model from calls c join names n on n.name = c.model
    ), minutes as (
        select u.start_at, u.openai_key_id, n.model as price_model, u.fetch_id, sum(u.requests) as requests, min(u.model) as model,
            min(u.service_tier) as tier, bool_or(coalesce(u.batch, false)) as batch, (array_agg(u.counts))[1] as counts,
            rank() over (partition by u.start_at order by f.n desc) as age
        from public.openai_usage_lines u
        join public.openai_fetches f on f.id = u.fetch_id
        join names n on n.name = u.model
        where u.org_id = p_org_id and u.width = '1m' and u.start_at >= p_day::timestamp at time zone 'utc'
          and u.start_at < (p_day + 2)::timestamp at time zone 'utc'
        group by u.start_at, u.openai_key_id, n.model, u.fetch_id, f.n
    ), proven as (
        select a.id, a.started_at, a.reason, a.endpoint, a.model_requested, m.model, m.start_at, m.tier, m.batch, m.counts,
            count(*) over (partition by a.id) as minutes
        from asked a
        join minutes m on m.age = 1 and m.openai_key_id = a.openai_key_id and m.price_model = a.price_model and m.requests = 1
            and m.start_at >= a.since and m.start_at <= a.until
        where a.reason is not null and a.started_at >= p_day::timestamp at time zone 'utc' and not exists (
            select from asked b where b.id <> a.id and b.openai_key_id = a.openai_key_id and b.price_model = a.price_model
              and m.start_at >= b.since and m.start_at <= b.until)
    )
    select p.id, p.started_at, p.reason, p.model, p.start_at, p.usage, c.cost, c.cost_lines, p.tier
    from (select p.*, app.minute_usage(p.counts) as usage from proven p where p.minutes = 1) p
    cross join lateral app.price_usage(p_org_id, p.endpoint, p.model, p.model_requested, p.tier, p.batch, p.usage, null, p.started_at) c
$$;

comment on function app.call_evidence is
    'Calls of a day in doubt or without usage that one minute of OpenAI''s Usage API proves, with what they cost.';
-- No grant: it reads the rows of any organization.
revoke execute on function app.call_evidence from public, anon, authenticated, service_role;
