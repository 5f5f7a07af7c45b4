-- reconcile_day(organization, day): compares one day (UTC) of OpenAI's books with the ledger and keeps the named parts
--
-- Replaces the comparison of the day. Nothing happens when no complete fetch has the day, or when the month of the day was
-- dropped from the ledger, or is being dropped: what was compared before stays.
create or replace function app.reconcile_day(p_org_id uuid, p_day date) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_state text;
    v_fetch uuid;
begin
    perform from public.organizations o where o.id = p_org_id for no key update;  -- two comparisons of a day: one after the other
    v_state := app.books_state(p_org_id, p_day);
    select d.fetch_id into v_fetch from public.openai_days d where d.org_id = p_org_id and d.day = p_day order by d.n desc limit 1;
    if v_fetch is null or date_trunc('month', p_day)::date in (select m from app.months_dropped() m) then
        return;
    end if;
    delete from public.reconciled_parts r where r.org_id = p_org_id and r.day = p_day;
    with o as (
        select * from app.openai_lines(p_org_id, v_fetch, p_day)
    ), l as (
        select * from app.ledger_lines(p_org_id, p_day)
    ), tomorrow as (
        select t.line from app.openai_lines(p_org_id, (select d.fetch_id from public.openai_days d
            where d.org_id = p_org_id and d.day = p_day + 1 order by d.n desc limit 1), p_day + 1) t where t.reason is null
    ), proven as (
        select * from app.call_evidence(p_org_id, p_day)
    ), evidence as (
        select app.ledger_line(e ->> 'tier', coalesce(m.model, e ->> 'model', regexp_replace(lower(p.model), '-20\d\d-\d\d-\d\d$', '')),
            e ->> 'dimension', e ->> 'qualifier', e ? 'context_min_tokens') as line,
            coalesce(sum((e ->> 'quantity')::numeric) filter (where p.reason = 'in_doubt'), 0) as doubt,
            coalesce(sum((e ->> 'quantity')::numeric) filter (where p.reason = 'no_usage'), 0) as silent,
            jsonb_agg(distinct p.call_id) as calls
        from proven p cross join lateral jsonb_array_elements(p.cost_lines) e
        left join lateral app.price_model_of(p_org_id, e ->> 'model', p.started_at) m on true
        group by 1
    ), m as (
        select coalesce(o.line, l.line, e.line) as line, o.line is not null as listed, coalesce(o.known, true) as known,
            o.quantity as qo, coalesce(o.amount, 0) as ao, coalesce(l.quantity, 0) as ql, coalesce(l.cost, 0) as cl,
            coalesce(l.unpriced, 0) as unpriced, l.prices,
            -- What OpenAI does not list on this day it may have counted on the next one, if it lists it there.
            case when o.line is not null or l.line in (select t.line from tomorrow t) then coalesce(l.late, 0) else 0 end as late,
            coalesce(o.model, l.model) as model, coalesce(e.doubt, 0) as doubt, coalesce(e.silent, 0) as silent, e.calls, o.openai_key_id, o.openai_project_id,
            case when o.amount > 0 and o.quantity > 0 and l.quantity > 0 and l.cost > 0
                then round(o.amount / o.quantity * l.quantity / l.cost, 6) end as ratio
        from (select * from o where reason is null) o
        full join l on l.line = o.line
        full join evidence e on e.line = coalesce(o.line, l.line)
    ), compared as (
        -- A line of several things, such as the web searches of two models, has several prices on any day: none of them changed.
        -- A rate of one's own is a discount, and not the one that the ledger has as a line of its own (`*tokens, completion_window:2h`).
        select m.*, app.price_reason(p_org_id, p_day, m.line,
            (select array_agg(p.id) from public.model_prices p where p.id = any (m.prices)
             having count(distinct (p.model, p.dimension, p.service_tier, p.context_min_tokens, p.qualifier)) = 1),
            m.ao / nullif(m.qo, 0), m.ratio,
            min(m.ratio) over (partition by m.model) = max(m.ratio) over (partition by m.model) and m.ratio < 1
                and m.ratio <> all (select round(1 + s.cl / s.ql, 6) from m s where s.line like '*tokens, %' and s.ql <> 0)) as price_reason
        from m
    ), parts as (
        select c.line, coalesce(p.reason, 'agrees') as reason, coalesce(p.amount, 0) as amount, p.quantity, c.model,
            c.openai_key_id, c.openai_project_id, c.qo, c.ao, c.ql, c.cl, row_number() over (partition by c.line order by abs(p.amount) desc) as place,
            jsonb_strip_nulls(jsonb_build_object(
                'ratio', case when p.reason in ('own_rate', 'price_differs', 'price_date') then c.ratio end,
                'calls', case when p.reason in ('in_doubt', 'no_usage') then c.calls end)) as detail
        from compared c
        left join lateral app.line_parts(c.listed, c.qo, c.ao, c.ql, c.cl, c.doubt, c.silent, c.unpriced, c.late, c.price_reason, c.known) p on true
        union all
        select o.line, o.reason, o.amount, o.quantity, o.model, o.openai_key_id, o.openai_project_id, o.quantity, o.amount, null, 0, 1, '{}'
        from o where o.reason is not null
    )
    insert into public.reconciled_parts (org_id, day, n, line, reason, amount, quantity, openai_quantity, openai, ledger_quantity,
        ledger, model, openai_key_id, openai_project_id, detail)
    select p_org_id, p_day, row_number() over (order by abs(p.amount) desc, p.line, p.reason, p.openai_key_id), p.line, p.reason,
        trim_scale(p.amount), trim_scale(p.quantity), case when p.place = 1 then trim_scale(p.qo) end, case when p.place = 1 then trim_scale(p.ao) end,
        case when p.place = 1 then trim_scale(p.ql) end, case when p.place = 1 then trim_scale(p.cl) end,
        p.model, p.openai_key_id, p.openai_project_id, p.detail
    from parts p;
    insert into public.reconciled_days (org_id, day, fetch_id, openai, ledger, state)
    select p_org_id, p_day, v_fetch, d.amount, (select trim_scale(coalesce(sum(r.ledger), 0)) from public.reconciled_parts r
        where r.org_id = p_org_id and r.day = p_day), v_state
    from public.openai_days d where d.fetch_id = v_fetch and d.day = p_day
    on conflict (org_id, day) do update set fetch_id = excluded.fetch_id, openai = excluded.openai, ledger = excluded.ledger,
        state = excluded.state, compared_at = clock_timestamp();
end $$;

comment on function app.reconcile_day is 'Compares a day of OpenAI''s books with the ledger, line by line, and names every part of the difference.';
-- No grant: part of app.reconcile, app.books_store and app.month_close_for.
revoke execute on function app.reconcile_day from public, anon, authenticated, service_role;
