-- price_call(endpoint, usage, tools, named, terms) → cost of one call in dollars, its cost status, and its lines
--
-- p_named: whether the call names a model at all. p_terms: see price_terms; this function reads no table. It never
-- raises and never guesses: a call that cannot be priced has a null cost, and a status that says why. The lines of such
-- a call have null costs, so the lines of every call add up to its cost.
--
-- Usage with at_least is only a part of what OpenAI bills: the status is no_usage, and each line says in at_least what it
-- would cost.
--
-- A batch that ended before any request of it ran has the usage {"requests": 0} and is free, whatever its model. The usage
-- of a batch is the sum of its requests, and that does not always tell what they cost: long contexts are priced by the request,
-- and of images it lacks the kinds of tokens: metering then names the endpoint in it. Such a usage has to say what each request used
-- (by_length, see price_batch). If not, what the tokens cost as text in short contexts is a part, as with at_least.
create or replace function app.price_call(
    p_endpoint text, p_usage jsonb, p_tools jsonb, p_named boolean, p_terms jsonb,
    out cost numeric, out cost_status text, out cost_lines jsonb
)
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_by_request boolean := coalesce((p_terms -> 'by_request')::boolean, false);
    v_tools jsonb := '{}';
    v_quantities jsonb;
    v_meters jsonb := '[]';
    v_shares boolean := p_usage ?| array['completion_window', 'region'];
    v_main_shares text[] := case when v_shares then app.price_shares(p_usage, true) end;
    v_requests jsonb;
    v_lacks boolean := false;
    v_bill record;
    v_batch record;
    v_other record;
    v_terms jsonb;
    v_unknown boolean;
    v_part boolean := coalesce(p_usage -> 'at_least' = 'true', false);
begin
    cost_status := 'no_usage';
    cost_lines := '[]';
    if p_endpoint = '/v1/batches'
       and p_usage = jsonb_strip_nulls(jsonb_build_object('requests', 0, 'region', p_usage -> 'region')) then
        cost := 0;
        cost_status := 'free';
        return;
    end if;
    if p_endpoint = '/v1/batches' and jsonb_typeof(p_usage) = 'object' then
        v_lacks := p_usage ? 'endpoint';
        v_requests := p_usage -> 'by_length' || jsonb_strip_nulls(jsonb_build_object('endpoint', p_usage -> 'endpoint'));
        p_usage := p_usage - array['by_length', 'endpoint'];
    end if;
    if p_tools is not null then
        v_tools := app.price_tool_quantities(p_tools, p_usage ->> 'size');
    end if;
    if v_by_request then
        v_quantities := v_tools || '{"requests": 1}';
    else
        v_quantities := app.price_quantities(p_endpoint, p_usage) || v_tools;
        if p_usage ?| array['tool_usage', 'svg_usage'] then
            v_meters := app.price_meters(p_usage);
        end if;
    end if;
    if v_quantities is null or v_meters is null or (v_quantities = '{}' and v_meters = '[]') then
        return;
    end if;

    v_bill := app.price_bill(v_quantities, p_terms, v_main_shares);
    v_lacks := v_lacks or p_endpoint = '/v1/batches' and v_bill.cost_lines @? '$[*].context_min_tokens';
    if v_lacks or v_requests is not null then
        v_batch := app.price_batch(v_requests, v_quantities, p_terms, v_main_shares);
        if v_batch.cost_lines is not null then
            v_other := app.price_bill(v_tools, p_terms, null);
            v_bill := v_batch;
            v_bill.cost := v_bill.cost + v_other.cost;
            v_bill.cost_lines := v_bill.cost_lines || v_other.cost_lines;
        elsif v_lacks then
            v_part := true;
            v_bill := app.price_bill(v_quantities, p_terms || '{"context": 0}', v_main_shares);
        end if;
    end if;
    -- A call that named no model can still be priced when all it used are tools: their prices are for any model.
    v_unknown := p_terms ->> 'model' is null and (p_named or v_quantities <> v_tools);
    for i in 0 .. jsonb_array_length(v_meters) - 1 loop
        v_terms := coalesce(p_terms -> 'others' -> (v_meters -> i ->> 'model'), 'null');
        v_other := app.price_bill(v_meters -> i -> 'quantities', v_terms,
            case when v_shares then app.price_shares(p_usage, false) end);
        v_bill.cost := v_bill.cost + v_other.cost;
        v_bill.cost_lines := v_bill.cost_lines || v_other.cost_lines;
        v_bill.fallback := v_bill.fallback or v_other.fallback;
        v_unknown := v_unknown or v_terms ->> 'model' is null;
    end loop;

    if v_part then
        cost_lines := (select coalesce(jsonb_agg(l || jsonb_build_object('cost', null, 'at_least', l -> 'cost')), '[]')
                       from jsonb_array_elements(v_bill.cost_lines) as l);
    elsif v_unknown or v_bill.cost is null then
        cost_status := case when v_unknown then 'unpriced_model' else 'unpriced_dimension' end;
        cost_lines := (select coalesce(jsonb_agg(l || '{"cost": null}'), '[]')
                       from jsonb_array_elements(v_bill.cost_lines) as l);
    elsif v_bill.cost < 100000000 then  -- above: a counting mistake, and more than the column, numeric(20,12), holds
        cost := v_bill.cost;
        cost_lines := v_bill.cost_lines;
        cost_status := case when v_by_request and cost = 0 then 'free'
            when v_bill.fallback then 'tier_fallback' else 'priced' end;
    end if;
end $$;

comment on function app.price_call is
    'Prices one call''s usage and tools with the given terms; part of price_usage and price_calls.';
revoke execute on function app.price_call from public, anon, authenticated, service_role;
grant execute on function app.price_call to authenticated;
