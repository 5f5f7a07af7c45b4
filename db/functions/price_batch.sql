-- price_batch(requests, quantities, terms, shares) → the bill of a batch, given which of its requests were long
--
-- Long contexts are priced by the request, while the usage of a batch is the sum of its requests. Its output file has the usage of
-- each. p_requests: what metering kept of that file, {over, short, long}: the usage of each request with more than `over` input tokens,
-- which is priced by itself, and the sum of all others, which are priced as if each had `over`. With `endpoint`, if the batch was for
-- one that has kinds of tokens of its own (images). All results are null where `over` input tokens are a long context already, where
-- requests are unusable, and where they do not add up to the input tokens of the batch (p_quantities).
create or replace function app.price_batch(
    p_requests jsonb, p_quantities jsonb, p_terms jsonb, p_shares text[], out cost numeric, out cost_lines jsonb, out fallback boolean
)
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_long jsonb := p_requests -> 'long';
    v_quantities jsonb;
    v_bill record;
    v_input numeric := 0;
    v_cost numeric := 0;
    v_fallback boolean := false;
    v_lines jsonb := '[]';
begin
    if jsonb_typeof(v_long) is distinct from 'array' or jsonb_typeof(p_requests -> 'over') is distinct from 'number' then
        return;
    end if;
    for i in -1 .. jsonb_array_length(v_long) - 1 loop
        v_quantities := app.price_quantities(coalesce(p_requests ->> 'endpoint', '/v1/batches'),
            case when i < 0 then p_requests -> 'short' else v_long -> i end);
        if v_quantities is null then
            return;
        end if;
        v_bill := app.price_bill(v_quantities,
            case when i < 0 then p_terms || jsonb_build_object('context', p_requests -> 'over') else p_terms end, p_shares);
        if i < 0 and v_bill.cost_lines @? '$[*].context_min_tokens' then
            return;
        end if;
        v_input := v_input + app.price_total_input(v_quantities);
        v_cost := v_cost + v_bill.cost;
        v_fallback := v_fallback or v_bill.fallback;
        v_lines := v_lines || v_bill.cost_lines;
    end loop;
    if v_input <> app.price_total_input(p_quantities) then
        return;
    end if;

    cost := v_cost;
    fallback := v_fallback;
    -- One line for what is priced alike, in the order in which it came first.
    cost_lines := coalesce((
        select jsonb_agg(s.line || jsonb_build_object('quantity', s.quantity, 'cost', s.cost) order by s.first)
        from (
            select l.line - array['quantity', 'cost'] as line, sum((l.line -> 'quantity')::numeric) as quantity,
                trim_scale(sum((l.line ->> 'cost')::numeric)) as cost, min(l.place) as first
            from jsonb_array_elements(v_lines) with ordinality as l (line, place)
            group by l.line - array['quantity', 'cost']
        ) s), '[]');
end $$;

comment on function app.price_batch is
    'The bill of a batch with its long requests priced one by one; cost_lines is null where that is not possible.';
revoke execute on function app.price_batch from public, anon, authenticated, service_role;
grant execute on function app.price_batch to authenticated;
