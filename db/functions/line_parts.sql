-- line_parts(...) → why one line of OpenAI's bill differs from the ledger: parts whose dollars add up to the difference, exactly
--
-- With q and a of OpenAI and q', c of the ledger: a - c = q'(a/q - c/q') + (q - q')a/q, the price part and the quantity part. The
-- quantity part is what is known to be missing in the ledger (in doubt, without usage, unpriced), then the day's boundary where
-- it makes the rest smaller, then a rest. Each part is rounded to 12 decimals; the last one takes what rounding left.
--
-- p_q, p_a: quantity (null: OpenAI gave none) and dollars at OpenAI; p_listed: OpenAI has the line. p_own_q, p_own_cost: of the
-- ledger. p_doubt, p_silent, p_unpriced: quantity of calls in doubt and without usage that OpenAI's minutes prove, and of calls without
-- a price. p_late: see app.ledger_lines. p_price_reason: what to call the price part. p_known: app.openai_line's.
create or replace function app.line_parts(
    p_listed boolean, p_q numeric, p_a numeric, p_own_q numeric, p_own_cost numeric, p_doubt numeric, p_silent numeric,
    p_unpriced numeric, p_late numeric, p_price_reason text, p_known boolean
) returns table (reason text, amount numeric, quantity numeric)
language plpgsql immutable
set search_path = ''
as $$
declare
    v_left numeric := p_a - p_own_cost;
    v_price numeric := coalesce(p_a / nullif(p_q, 0), p_own_cost / nullif(p_own_q, 0), 0);
    v_seen boolean := coalesce(p_q, 0) > 0;  -- what OpenAI did not count cannot be explained by calls
    v_rest numeric;
    v_late numeric := 0;
    v_reasons text[];
    v_quantities numeric[];
    v_amount numeric;
begin
    if p_listed and not v_seen then  -- dollars without a quantity have no price
        return query select 'no_quantity', v_left, null::numeric where v_left <> 0;
        return;
    end if;
    v_rest := coalesce(p_q, 0) - p_own_q - case when v_seen then p_doubt + p_silent + p_unpriced else 0 end;
    if abs(v_rest - p_late) < abs(v_rest) then
        v_late := p_late;
        v_rest := v_rest - v_late;
    end if;
    v_reasons := array[
        case when abs(v_left - (coalesce(p_q, 0) - p_own_q) * v_price) < 0.000001 then 'rounding' else p_price_reason end,
        'in_doubt', 'no_usage', 'unpriced', 'day_boundary',
        case when not v_seen then 'missing_at_openai'
            when p_own_q = 0 and p_doubt + p_silent + p_unpriced = 0 then case when p_known then 'missing_in_ledger' else 'unknown_line' end
            else 'quantity_unexplained' end];
    v_quantities := array[null, case when v_seen then p_doubt else 0 end, case when v_seen then p_silent else 0 end,
        case when v_seen then p_unpriced else 0 end, v_late, v_rest];
    for i in 2 .. 6 loop
        v_amount := round(v_quantities[i] * v_price, 12);
        if i = 6 and v_rest <> 0 and (p_own_q = 0 or not v_seen) then
            v_amount := v_left;  -- no price part: the ledger or OpenAI has nothing to compare with
        end if;
        if v_quantities[i] <> 0 and v_amount <> 0 then
            v_left := v_left - v_amount;
            return query select v_reasons[i], v_amount, v_quantities[i];
        end if;
    end loop;
    return query select v_reasons[1], v_left, case when p_own_q > 0 then p_own_q end where v_left <> 0;
end $$;

comment on function app.line_parts is
    'Named parts of the difference of one line; their dollars add up to OpenAI''s minus the ledger''s, exactly.';
revoke execute on function app.line_parts from public, anon, authenticated, service_role;
grant execute on function app.line_parts to authenticated;
