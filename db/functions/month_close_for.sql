-- month_close_for(organization, first day of a month, note, invoice or null, confirmed) → id of the frozen month; refuses what is not ready
--
-- Compares the days first whose books or calls changed. p_note: required when an amount is unexplained. p_invoice: US dollars of
-- OpenAI's invoice as typed in. p_confirm: close although the last two fetches of a day differ, or a day was fetched only once.
--
-- What is known of a closed month is told by its moment, which is before or after that of the close. So no month is closed while calls
-- are priced again: what that has already changed is not seen yet, and would be from before the close.
create or replace function app.month_close_for(p_org_id uuid, p_month date, p_note text, p_invoice numeric, p_confirm boolean) returns uuid
language plpgsql
set search_path = ''
as $$
declare
    v_state record;
    v_day date;
    v_compared integer;
    v_close public.month_closes;
begin
    if p_month is null or extract(day from p_month) <> 1 or not isfinite(p_month) then
        raise sqlstate 'PT400' using message = 'a month is named by its first day', detail = 'month_invalid', column = 'month';
    end if;
    perform from public.organizations o where o.id = p_org_id for no key update;  -- two persons who close: one after the other
    if not found then
        raise sqlstate 'PT404' using message = 'no such organization', detail = 'organization_not_found';
    end if;
    perform from private.work_locks w where w.work = 'prices reprice' for share skip locked;  -- until the close is committed
    if not found then
        raise sqlstate 'PT409' using message = 'calls are being priced again', detail = 'repricing', hint = 'Close the month when that has ended';
    end if;
    for v_day in
        select distinct d.day from public.openai_days d left join public.reconciled_days r on r.org_id = d.org_id and r.day = d.day
        where d.org_id = p_org_id and d.day >= p_month and d.day < p_month + interval '1 month'
          and r.state is distinct from app.books_state(p_org_id, d.day)
    loop
        perform app.reconcile_day(p_org_id, v_day);
    end loop;
    select count(*) into v_compared from public.reconciled_days r
    where r.org_id = p_org_id and r.day >= p_month and r.day < p_month + interval '1 month';
    select * into v_state from app.month_of(p_org_id, p_month);
    v_close.note := coalesce(btrim(p_note, E' \t\r\n'), '');
    perform app.month_refuse(to_jsonb(v_state) || jsonb_build_object('compared', v_compared), v_close.note, p_invoice, p_confirm);
    v_close.id := gen_random_uuid();
    v_close.org_id := p_org_id;
    v_close.month := p_month;
    v_close.status := 'closed';
    v_close.openai := v_state.openai;
    v_close.ledger := v_state.ledger;
    v_close.unexplained := v_state.unexplained;
    v_close.invoice := trim_scale(p_invoice);
    v_close.named := v_state.named;
    v_close.report := app.month_report_of(p_org_id, p_month);
    v_close.fetch_ids := v_state.fetch_ids;
    v_close.closed_by := auth.uid();
    v_close.at := clock_timestamp();
    v_close.sha256 := app.month_hash(v_close);
    insert into public.month_closes
        (id, org_id, month, status, openai, ledger, unexplained, invoice, named, report, fetch_ids, sha256, note, closed_by, at)
    select v_close.id, v_close.org_id, v_close.month, v_close.status, v_close.openai, v_close.ledger, v_close.unexplained, v_close.invoice,
        v_close.named, v_close.report, v_close.fetch_ids, v_close.sha256, v_close.note, v_close.closed_by, v_close.at;
    perform app.audit(p_org_id, 'month.closed', v_close.id, jsonb_build_object('month', to_char(p_month, 'YYYY-MM'),
        'openai', v_close.openai::text, 'ledger', v_close.ledger::text, 'unexplained', v_close.unexplained::text,
        'invoice', v_close.invoice::text, 'note', v_close.note, 'sha256', v_close.sha256, 'confirmed', to_jsonb(v_state.changing)));
    return v_close.id;
end $$;

comment on function app.month_close_for is 'Closes a month of an organization: freezes its sums, its report, the fetches and a hash of all of it.';
-- No grant: for the operator, through flask books close, and part of app.month_close.
revoke execute on function app.month_close_for from public, anon, authenticated, service_role;
