-- price_add(...) → the new row: a price that only the admin's organization pays, in place of the list price, from a moment on
--
-- p_model may be any name OpenAI uses. The row is stored under the price model behind that name, so that a dated name
-- and its alias always cost the same. Adding a price again for the same moment corrects it: the new row has the next
-- revision. p_unit_price and p_unit_qty are text, so that no decimal is lost on the way. Null p_valid_from: from 00:00
-- UTC today.
--
-- Errors: PT400 invalid_price (see price_check), and those of require_admin.
create or replace function app.price_add(
    p_model text, p_dimension text, p_service_tier text, p_context_min_tokens integer, p_qualifier text, p_unit_price text,
    p_unit_qty text, p_valid_from timestamptz, p_note text
) returns public.model_prices
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_name text := regexp_replace(lower(btrim(p_model, E' \t\r\n')), '^openai/', '');
    v_from timestamptz := coalesce(p_valid_from, date_trunc('day', now(), 'UTC'));
    v_found record;
    v_price public.model_prices;
begin
    perform app.price_check(v_name, p_dimension, coalesce(p_service_tier, 'standard'), coalesce(p_context_min_tokens, 0),
        coalesce(p_qualifier, ''), p_unit_price, p_unit_qty, v_from, coalesce(p_note, ''));
    v_found := app.price_model_of(v_org, v_name, greatest(v_from, now()));
    -- Two transactions must not use the same revision. A row lock and no advisory lock: an analyst could take and keep the latter.
    perform from public.organizations o where o.id = v_org for no key update;
    insert into public.model_prices (
        org_id, model, dimension, service_tier, context_min_tokens, qualifier, unit_price, unit_qty, valid_from, revision,
        source, note, created_by)
    select v_org, coalesce(v_found.model, v_name), p_dimension, coalesce(p_service_tier, 'standard'),
        coalesce(p_context_min_tokens, 0), coalesce(p_qualifier, ''), p_unit_price::numeric, p_unit_qty::numeric, v_from,
        coalesce(max(p.revision), 0) + 1, 'admin', coalesce(p_note, ''), auth.uid()
    from public.model_prices p
    where p.org_id = v_org and p.model = coalesce(v_found.model, v_name) and p.dimension = p_dimension
      and p.service_tier = coalesce(p_service_tier, 'standard') and p.context_min_tokens = coalesce(p_context_min_tokens, 0)
      and p.qualifier = coalesce(p_qualifier, '') and p.valid_from = v_from
    returning * into v_price;
    perform app.audit(v_org, 'price.added', null, jsonb_build_object('price_id', v_price.id, 'model', v_price.model,
        'dimension', v_price.dimension, 'service_tier', v_price.service_tier, 'unit_price', trim_scale(v_price.unit_price)::text,
        'unit_qty', v_price.unit_qty::text, 'valid_from', v_price.valid_from, 'revision', v_price.revision));
    return v_price;
end $$;

comment on function app.price_add is
    'Adds a dated price that only the admin''s organization pays; existing prices are never changed.';
revoke execute on function app.price_add from public, anon, authenticated, service_role;
grant execute on function app.price_add to authenticated;
