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
    c_batch constant integer := 500;
    v_reason text := nullif(btrim(p_reason, E' \t\r\n'), '');
    v_org record;
    v_last record;
    v_batch jsonb;
    v_done record;
begin
    if v_reason is null or length(v_reason) > 1000 then
        raise sqlstate 'PT400' using message = 'give a reason of at most 1000 characters', detail = 'reason_missing', column = 'reason';
    end if;
    if p_from is null or p_to is null or p_from >= p_to then
        raise sqlstate 'PT400' using message = 'the period must end after it begins', detail = 'invalid_period', column = 'to';
    end if;
    perform from private.work_locks w where w.work = 'prices reprice' for update;  -- two runs at the same time would book each difference twice

    for v_org in select o.id, o.name, o.books from public.organizations o order by o.name, o.id loop
        select v_org.id, v_org.name, 0, 0, 0, 0, 0, 0
        into org_id, organization, calls, filled_calls, filled_cost, adjusted_calls, adjusted_cost, unpriced_calls;
        select p_from as at, '00000000-0000-0000-0000-000000000000'::uuid as id into v_last;
        loop
            select jsonb_agg(to_jsonb(c) || jsonb_build_object('n', c.place) order by c.place) into v_batch
            from (
                select row_number() over () as place, u.*
                from (
                    select u.id, u.started_at, u.org_id, u.endpoint, u.model, u.model_requested, u.service_tier, u.batch, u.usage,
                        u.tools, u.cost, u.cost_lines
                    from public.usage_logs u
                    where u.org_id = v_org.id and u.upstream = v_org.books and u.state = 'settled'
                      and u.started_at >= v_last.at and u.started_at < p_to and (u.started_at, u.id) > (v_last.at, v_last.id)
                      and u.cost_status in ('priced', 'tier_fallback', 'unpriced_model', 'unpriced_dimension')
                    order by u.started_at, u.id limit c_batch
                ) u
            ) c;
            exit when v_batch is null;
            select b.* into v_done from app.reprice_batch(v_batch, v_reason, p_dry_run) b;
            calls := calls + jsonb_array_length(v_batch);
            filled_calls := filled_calls + v_done.filled_calls;
            filled_cost := filled_cost + v_done.filled_cost;
            adjusted_calls := adjusted_calls + v_done.adjusted_calls;
            adjusted_cost := adjusted_cost + v_done.adjusted_cost;
            unpriced_calls := unpriced_calls + v_done.unpriced_calls;
            select (v_batch -> -1 ->> 'started_at')::timestamptz as at, (v_batch -> -1 ->> 'id')::uuid as id into v_last;
            raise info '%: % calls, up to % UTC', v_org.name, calls, to_char(v_last.at at time zone 'utc', 'YYYY-MM-DD HH24:MI');
        end loop;
        if not p_dry_run and filled_calls + adjusted_calls > 0 then
            perform app.audit(v_org.id, 'calls.repriced', null, jsonb_build_object('from', p_from, 'to', p_to, 'reason', v_reason,
                'filled_calls', filled_calls, 'filled_cost', filled_cost::text,
                'adjusted_calls', adjusted_calls, 'adjusted_cost', adjusted_cost::text));
        end if;
        if calls > 0 then
            return next;
        end if;
    end loop;
end $$;

comment on function app.reprice is
    'Prices the calls of a period again: fills missing costs, and books corrections of known ones.';
-- No grant: for the operator, by `flask prices reprice`.
revoke execute on function app.reprice from public, anon, authenticated, service_role;
