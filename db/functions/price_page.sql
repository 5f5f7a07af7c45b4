-- price_page(after id, limit) → all prices as they were entered, by id, one page
--
-- p_after_id: id of the last row of the page before; 0 for the first page.
-- List prices, and those only the caller's organization pays (own). valid_from is null where a price holds from the beginning.
create or replace function app.price_page(p_after_id bigint, p_limit integer)
returns table (
    id bigint, model text, dimension text, service_tier text, context_min_tokens integer, qualifier text, unit_price numeric,
    unit_qty numeric, valid_from timestamptz, revision integer, source text, note text, own boolean
)
language sql stable
set search_path = ''
as $$
    select p.id, p.model, p.dimension, p.service_tier, p.context_min_tokens, p.qualifier, p.unit_price, p.unit_qty,
        nullif(p.valid_from, '-infinity'), p.revision, p.source, p.note, p.org_id is not null
    from public.model_prices p
    where p.id > p_after_id
    order by p.id
    limit p_limit
$$;

comment on function app.price_page is
    'A page of all price rows that hold for the caller''s organization; keyset on id.';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.price_page from public, anon, authenticated, service_role;
grant execute on function app.price_page to authenticated;
