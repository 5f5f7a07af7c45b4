-- price_history(model) → every price of a model that the caller may see, newest first; of any name it goes by
--
-- in_force: whether it counts for calls that start now. Of rows of the same kind that is the newest that has begun, the
-- highest revision; an organization's own goes before the list's.
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

comment on function app.price_history is 'All prices of a model, newest first, the organization''s own among them.';
revoke execute on function app.price_history from public, anon, authenticated, service_role;
grant execute on function app.price_history to authenticated;
