-- price_terms(...) → how a call is billed: {model, match, by_request, fallback, unknown_tier, banded, sheet, others}
--
-- Everything that needs look-ups, and nothing that depends on how much was used, so that calls with equal arguments share
-- the result.
--
-- model: the price model of the name that served the call. When the answer names no model, or one that is unknown but a
-- variant of the requested one (price_variant), or one that cannot have served this endpoint (price_fits), the requested
-- name decides (match: requested). sheet: see price_sheet. fallback: the model has no price in this tier, so the sheet is
-- that of the tier standard. unknown_tier: the name of a tier that is none of price_tiers; the sheet has no price for tokens
-- then. by_request: billed per call. banded: some price is for long contexts only. others: {name: terms} of the models that
-- worked for the call beside its own and whose use is counted apart (price_meters), or null.
--
-- p_size: of a video; it decides between the two price models of sora-2-pro. p_with_extras, p_input_limit: see
-- price_sheet.
create or replace function app.price_terms(
    p_org_id uuid, p_endpoint text, p_model text, p_model_requested text, p_size text, p_others text[], p_tier text,
    p_with_extras boolean, p_input_limit integer, p_at timestamptz
) returns jsonb
language plpgsql stable parallel safe
set search_path = ''
set plan_cache_mode = force_generic_plan  -- planning these look-ups takes longer than running them
as $$
declare
    v_found record;
    v_match text;
    v_tier text := p_tier;
    v_unknown_tier text;
    v_sheet jsonb;
    v_others jsonb;
begin
    if p_endpoint like '%/moderations' then
        return jsonb_build_object('model', 'moderation', 'by_request', true,
            'sheet', app.price_sheet(p_org_id, 'moderation', 'standard', p_with_extras, p_input_limit, p_at));
    end if;
    v_found := app.price_model_of(p_org_id, p_model, p_at);
    v_match := v_found.match;
    if v_found.model is null
       and (coalesce(btrim(p_model), '') = '' or app.price_variant(p_org_id, p_model_requested, p_model, p_at)) then
        v_found := app.price_model_of(p_org_id, p_model_requested, p_at);
        v_match := 'requested';
    end if;
    if v_found.model = 'sora-2-pro' and p_size in ('1024x1792', '1792x1024') then
        v_found.model := 'sora-2-pro-high-res';
    elsif p_endpoint like '%/decisions' then
        v_found.model := (select p.model from public.model_prices p
            where p.model = v_found.model || '-decisions' and p.valid_from <= p_at and (p.org_id is null or p.org_id = p_org_id)
            limit 1);
    end if;
    if p_tier <> all (app.price_tiers()) then
        v_unknown_tier := p_tier;
    elsif p_tier <> 'standard' then
        perform from public.model_prices p
        where p.model = v_found.model and p.service_tier = p_tier and p.valid_from <= p_at
          and (p.org_id is null or p.org_id = p_org_id)
        limit 1;
        if not found then
            v_tier := 'standard';
        end if;
    end if;
    v_sheet := app.price_sheet(p_org_id, v_found.model, v_tier, p_with_extras, p_input_limit, p_at);
    if v_found.model is not null and v_unknown_tier is null
       and p_endpoint not in ('/v1/chat/completions', '/v1/responses')  -- nearly all calls; any model fits there
       and not app.price_fits(p_endpoint, v_sheet) then
        return app.price_terms(p_org_id, p_endpoint, null, case when v_match <> 'requested' then p_model_requested end, p_size,
            p_others, p_tier, p_with_extras, p_input_limit, p_at);
    end if;
    if p_others is not null then  -- apart, because an expression without a query is faster
        select jsonb_object_agg(o, app.price_terms(p_org_id, '', o, null, null, null, p_tier, p_with_extras, null, p_at)) into v_others
        from unnest(p_others) as o;
    end if;
    return jsonb_build_object(
        'model', v_found.model,
        'match', v_match,
        -- Not for models found by a pattern: `moderation` in the name of an unknown model does not prove that it is free.
        'by_request', v_sheet ? 'requests' and v_found.match not in ('prefix', 'regex'),
        'fallback', v_tier <> p_tier,
        'unknown_tier', v_unknown_tier,
        'banded', v_sheet @? '$.*[*].context_min_tokens',
        'sheet', v_sheet,
        'others', v_others);
end $$;

comment on function app.price_terms is
    'Price model and price sheet of a call, and how they were found; calls with equal models and tier share them.';
revoke execute on function app.price_terms from public, anon, authenticated, service_role;
grant execute on function app.price_terms to authenticated;
