-- reprice(from, to, reason, dry run) → what pricing the calls of a period again changed, per organization
--
-- A call that had no cost and can be priced now gets its cost, as a fill. A call that has a cost keeps it: the
-- difference between the new cost and the old one with its earlier corrections is booked now, as one more correction
-- (adjusted_calls, adjusted_cost). So a second run adds nothing, and what a past month reported changes only by the fills
-- of its own calls. Failed and free calls, and calls whose usage is not known, are neither priced nor counted.
--
-- Only calls of the organization's books are priced: those to OpenAI or those to the sandbox. p_dry_run: computes
-- everything and changes nothing. Progress is reported by messages of level INFO.
--
-- Errors: PT400 reason_missing, PT400 invalid_period.
create or replace function app.reprice(p_from timestamptz, p_to timestamptz, p_reason text, p_dry_run boolean)
returns table (
    org_id uuid, organization text, calls bigint, filled_calls bigint, filled_cost numeric, adjusted_calls bigint,
    adjusted_cost numeric, unpriced_calls bigint
)
language plpgsql
set search_path = ''
as $$
declare
    v_reason text := nullif(btrim(p_reason, E' \t\r\n'), '');
    v_org record;
begin
    if v_reason is null or length(v_reason) > 1000 then
        raise sqlstate 'PT400' using message = 'give a reason of at most 1000 characters', detail = 'reason_missing', column = 'reason';
    end if;
    if p_from is null or p_to is null or p_from >= p_to then
        raise sqlstate 'PT400' using message = 'the period must end after it begins', detail = 'invalid_period', column = 'to';
    end if;
    perform from private.work_locks w where w.work = 'prices reprice' for update;  -- two runs at the same time would book each difference twice

    for v_org in select o.id, o.name from public.organizations o order by o.name, o.id loop
        select v_org.id, v_org.name, d.*
        into org_id, organization, calls, filled_calls, filled_cost, adjusted_calls, adjusted_cost, unpriced_calls
        from app.reprice_organization(v_org.id, p_from, p_to, null, v_reason, p_dry_run) d;
        if calls > 0 then
            return next;
        end if;
    end loop;
end $$;

comment on function app.reprice is
    'Prices the calls of a period again: fills missing costs, and books corrections of known ones.';
-- No grant: for the operator, by `flask prices reprice`.
revoke execute on function app.reprice from public, anon, authenticated, service_role;
