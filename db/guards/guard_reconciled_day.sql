-- guard_reconciled_day(): trigger at the end of a transaction that compared a day: its parts must add up to the difference, exactly
create or replace function private.guard_reconciled_day() returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_org uuid := coalesce(new.org_id, old.org_id);
    v_day date := coalesce(new.day, old.day);
    v_difference numeric := (select d.openai - d.ledger from public.reconciled_days d where d.org_id = v_org and d.day = v_day);
    v_named numeric := (select sum(p.amount) from public.reconciled_parts p where p.org_id = v_org and p.day = v_day);
begin
    if v_difference <> coalesce(v_named, 0) then
        raise exception using errcode = 'check_violation',
            message = format('the parts of %s add up to %s, the difference is %s', v_day, v_named, v_difference);
    end if;
    return null;
end $$;

comment on function private.guard_reconciled_day is
    'Trigger: the named parts of a compared day add up to the difference of OpenAI and the ledger.';
-- No grant: triggers need none.
revoke execute on function private.guard_reconciled_day from public, anon, authenticated, service_role;
