-- price_batch(long requests, quantities, terms, shares) → the bill of a batch of which is known which requests were long
--
-- Long contexts are priced by the request, while the usage of a batch is the sum of its requests. Its output file has the usage of
-- each. p_long: what metering kept of that file, {over, usage}: the usage of each request with more than `over` input tokens. They are
-- priced one by one, and what they leave of p_quantities, those of the whole batch, as requests with `over` input tokens: nulls where
-- that is a long context already, or where the long requests used more than the whole batch.
create or replace function app.price_batch(
    p_long jsonb, p_quantities jsonb, p_terms jsonb, p_shares text[], out cost numeric, out cost_lines jsonb, out fallback boolean
)
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_each jsonb := p_long -> 'usage';
    v_left jsonb := p_quantities;
    v_quantities jsonb;
    v_bill record;
    v_cost numeric := 0;
    v_lines jsonb := '[]';
begin
    if jsonb_typeof(v_each) is distinct from 'array' or jsonb_typeof(p_long -> 'over') is distinct from 'number' then
        return;
    end if;
    for i in 0 .. jsonb_array_length(v_each) - 1 loop
        v_quantities := app.price_quantities('/v1/batches', v_each -> i);
        if coalesce(v_quantities, '{}') = '{}' then
            return;
        end if;
        v_left := v_left || (
            select jsonb_object_agg(q.key, coalesce((v_left -> q.key)::numeric, 0) - q.value::numeric) from jsonb_each(v_quantities) as q);
        v_bill := app.price_bill(v_quantities, p_terms, p_shares);
        v_cost := v_cost + v_bill.cost;
        v_lines := v_lines || v_bill.cost_lines;
    end loop;
    v_bill := app.price_bill(v_left, p_terms || jsonb_build_object('context', p_long -> 'over'), p_shares);
    if v_left @? '$.* ? (@ < 0)' or v_bill.cost_lines @? '$[*].context_min_tokens' then
        return;
    end if;

    cost := v_cost + v_bill.cost;
    fallback := v_bill.fallback;
    -- One line for what is priced alike, in the order in which it came first.
    cost_lines := coalesce((
        select jsonb_agg(s.line || jsonb_build_object('quantity', s.quantity, 'cost', s.cost) order by s.first)
        from (
            select l.line - array['quantity', 'cost'] as line, sum((l.line -> 'quantity')::numeric) as quantity,
                trim_scale(sum((l.line ->> 'cost')::numeric)) as cost, min(l.place) as first
            from jsonb_array_elements(v_bill.cost_lines || v_lines) with ordinality as l (line, place)
            group by l.line - array['quantity', 'cost']
        ) s), '[]');
end $$;

comment on function app.price_batch is
    'The bill of a batch with its long requests priced one by one; cost_lines is null where they do not fit the whole.';
revoke execute on function app.price_batch from public, anon, authenticated, service_role;
grant execute on function app.price_batch to authenticated;
