-- call_lines(id) → how the cost of one call came about: each quantity with the price row that was used
create or replace function app.call_lines(p_id uuid)
returns table (
    n bigint, dimension text, qualifier text, quantity numeric, unit_price numeric, unit_qty numeric, cost numeric, tier text,
    context_min_tokens integer, priced_as text, model text, price_id bigint, valid_from timestamptz, source text, own_price boolean
)
language sql stable
set search_path = ''
as $$
    select l.ordinality, l.line ->> 'dimension', l.line ->> 'qualifier', (l.line ->> 'quantity')::numeric,
        (l.line ->> 'unit_price')::numeric, (l.line ->> 'unit_qty')::numeric, (l.line ->> 'cost')::numeric, l.line ->> 'tier',
        (l.line ->> 'context_min_tokens')::integer, l.line ->> 'priced_as', l.line ->> 'model', (l.line ->> 'price_id')::bigint,
        nullif(p.valid_from, '-infinity'), p.source, p.org_id is not null
    from app.call_show(p_id) c
    cross join lateral jsonb_array_elements(c.cost_lines) with ordinality as l (line, ordinality)
    left join public.model_prices p on p.id = (l.line ->> 'price_id')::bigint
    order by l.ordinality
$$;

comment on function app.call_lines is 'Lines of the cost of one call, with the source and date of the price each was priced by.';
revoke execute on function app.call_lines from public, anon, authenticated, service_role;
grant execute on function app.call_lines to authenticated;
