-- price_history(model) → every price of a model that applies to the caller's organization, newest first
--
-- p_model: any name the model goes by. own: a price only this organization pays. in_force: whether the row prices calls
-- that arrive now. Of the rows with equal dimension, tier, context size and qualifier one at most is in force. Rows whose
-- valid_from is in the future are not; of the others the organization's own go before list prices, then the newest
-- valid_from decides, then the highest revision.
create or replace function app.price_history(p_model text)
returns table (
    id bigint, model text, dimension text, service_tier text, context_min_tokens integer, qualifier text, unit_price numeric,
    unit_qty numeric, valid_from timestamptz, revision integer, source text, note text, own boolean, in_force boolean
)
language sql stable
set search_path = ''
as $$
    select p.id, p.model, p.dimension, p.service_tier, p.context_min_tokens, p.qualifier, trim_scale(p.unit_price), p.unit_qty,
        nullif(p.valid_from, '-infinity'), p.revision, p.source, p.note, p.org_id is not null,
        p.valid_from <= now() and p.id = first_value(p.id) over (
            partition by p.dimension, p.service_tier, p.context_min_tokens, p.qualifier
            order by p.valid_from <= now() desc, p.org_id is null, p.valid_from desc, p.revision desc)
    from public.model_prices p
    left join app.price_dimensions() with ordinality as d (dimension, kind, fallback, place) on d.dimension = p.dimension
    where p.model = coalesce((app.price_model_of((select app.current_org_id()), p_model, now())).model, lower(btrim(p_model)))
    order by p.valid_from desc, p.service_tier <> 'standard', p.service_tier, p.context_min_tokens,
        d.place, p.dimension, p.qualifier, p.org_id is null, p.revision desc
$$;

comment on function app.price_history is 'All prices of a model that apply to the caller''s organization, newest first.';
revoke execute on function app.price_history from public, anon, authenticated, service_role;
grant execute on function app.price_history to authenticated;
