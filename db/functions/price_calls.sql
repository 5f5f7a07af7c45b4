-- price_calls(calls) → cost, cost status and lines of each call, as price_usage gives them, in the order of the calls
--
-- Looking prices up takes most of the time, so calls with equal model names, tier and so on share one look-up, at the
-- moment of the last call. Only when some price came into force between the first and the last call, each call is looked
-- up at its own moment.
--
-- p_calls: of each call, org_id, endpoint, model, model_requested, service_tier, batch, usage, tools, started_at are read. A null has
-- a null for its price.
create or replace function app.price_calls(p_calls app.settlement[]) returns app.priced_call[]
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan  -- planning these look-ups takes longer than running them
as $$
declare
    v_call app.settlement;
    v_moment timestamptz;
    v_question app.terms_question;
    v_key text;
    v_known jsonb := '{}';
    v_terms jsonb;
    v_price app.priced_call;
    v_prices app.priced_call[] := '{}';
begin
    if cardinality(p_calls) > 1 then
        select case when not exists (select from public.model_prices p where p.valid_from > c.first and p.valid_from <= c.last)
            then c.last end into v_moment
        from (select min(c.started_at) as first, max(c.started_at) as last from unnest(p_calls) c) as c;
    end if;

    foreach v_call in array p_calls loop
        if v_call is null then
            v_prices := v_prices || null::app.priced_call;
            continue;
        end if;
        v_question := app.terms_question_of(v_call.org_id, v_call.endpoint, v_call.model, v_call.model_requested,
            v_call.service_tier, v_call.batch, v_call.usage, v_call.tools);
        v_key := row(v_question, case when v_moment is null then v_call.started_at end)::text;
        v_terms := v_known -> v_key;
        if v_terms is null then
            v_terms := app.known_terms(v_question, coalesce(v_moment, v_call.started_at, now()));
            v_known := v_known || jsonb_build_object(v_key, v_terms);
        end if;
        v_price := app.price_call(v_call.endpoint, v_call.usage, v_call.tools, coalesce(v_call.model, v_call.model_requested) is not null,
            v_terms);
        v_prices := v_prices || v_price;
    end loop;
    return v_prices;
end $$;

comment on function app.price_calls is
    'Prices many calls at once, each exactly as price_usage does; one price per call, in the same order.';
revoke execute on function app.price_calls from public, anon, authenticated, service_role;
-- No grant: part of settle_calls and reprice_batch, which run as the owner.
