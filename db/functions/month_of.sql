-- month_of(organization, first day of a month) → how far the month is with its closing, what it sums up to now, and what was frozen
--
-- state: open (OpenAI's books lack a day of it, or have one that had not ended when it was fetched), provisional (they have
-- every day), closed. missing: the days that keep it open. changing: the days of a provisional month on which the last two
-- complete fetches do not agree, or of which there is only one. closes_on: from this day on (UTC) it can be closed.
--
-- openai, ledger, unexplained, named, fetch_ids: of the days that were compared, as last compared. closed_*: as frozen, null
-- unless it is closed. restated_*: what came since it was closed, by a newer fetch, a correction or a fill: now minus frozen.
-- intact: the frozen row has the SHA-256 that was computed when it was closed.
create or replace function app.month_of(p_org_id uuid, p_month date)
returns table (
    month date, state text, days integer, missing date[], changing date[], closes_on date, openai numeric, ledger numeric,
    unexplained numeric, named jsonb, fetch_ids uuid[], close_id uuid, closed_at timestamptz, closed_by text, note text,
    invoice numeric, sha256 text, intact boolean, closed_openai numeric, closed_ledger numeric, closed_unexplained numeric,
    restated_openai numeric, restated_ledger numeric, restated_unexplained numeric
)
language sql stable
set search_path = ''
as $$
    with newest as (
        select g.day::date as day, d.fetch_id, coalesce(d.whole, false) as whole, r.openai, r.ledger
        from generate_series(p_month::timestamp, p_month::timestamp + interval '1 month' - interval '1 day', interval '1 day') g (day)
        left join lateral (
            select x.fetch_id, x.whole from public.openai_days x where x.org_id = p_org_id and x.day = g.day::date order by x.n desc limit 1
        ) d on true
        left join public.reconciled_days r on r.org_id = p_org_id and r.day = g.day::date
    ), sums as (
        select count(*)::integer as days, array_agg(n.day order by n.day) filter (where not n.whole) as missing,
            trim_scale(sum(n.openai)) as openai, trim_scale(sum(n.ledger)) as ledger,
            array_agg(distinct n.fetch_id) filter (where n.fetch_id is not null) as fetch_ids
        from newest n
    ), reasons as (
        select p.reason, r.explained, trim_scale(sum(p.amount)) as amount
        from public.reconciled_parts p join public.part_reasons r using (reason)
        where p.org_id = p_org_id and p.day in (select n.day from newest n)
        group by 1, 2
        having sum(p.amount) <> 0
    ), named as (
        select coalesce(jsonb_object_agg(r.reason, r.amount::text), '{}') as named,
            coalesce(sum(r.amount) filter (where not r.explained), 0) as unexplained
        from reasons r
    ), closed as (
        select c.* from (select m.* from public.month_closes m where m.org_id = p_org_id and m.month = p_month order by m.n desc limit 1) c
        where c.status = 'closed'
    )
    select p_month, case when c.id is not null then 'closed' when s.missing is null then 'provisional' else 'open' end, s.days,
        coalesce(s.missing, '{}'),
        case when c.id is null and s.missing is null
            then array(select n.day from newest n where not app.day_settled(p_org_id, n.day) order by 1) else '{}' end,
        (p_month + interval '1 month' + interval '2 days')::date, s.openai, s.ledger, trim_scale(d.unexplained), d.named, s.fetch_ids,
        c.id, c.at, app.person_email(p_org_id, c.closed_by), c.note, c.invoice, c.sha256, c.sha256 = app.month_hash(c),
        c.openai, c.ledger, c.unexplained, trim_scale(s.openai - c.openai), trim_scale(s.ledger - c.ledger),
        trim_scale(d.unexplained - c.unexplained)
    from sums s cross join named d left join closed c on true
$$;

comment on function app.month_of is 'State of a month''s closing, its sums now, and its frozen sums with what changed since.';
-- No grant: part of app.month_state, month_report, month_close_for and month_reopen_for, for any organization.
revoke execute on function app.month_of from public, anon, authenticated, service_role;
