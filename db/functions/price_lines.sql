-- price_lines(cost_lines) → the lines of a cost, each with the price row it was worked out with
--
-- n: the place of the line. own_price: the price is of the organization and not of the list. valid_from is null where a
-- price holds from the beginning.
create or replace function app.price_lines(p_cost_lines jsonb)
returns table (
    n bigint, dimension text, qualifier text, quantity numeric, unit_price numeric, unit_qty numeric, cost numeric, tier text,
    context_min_tokens integer, priced_as text, model text, price_id bigint, valid_from timestamptz, source text, own_price boolean,
    revision integer
)
language sql stable
set search_path = ''
as $$
    select l.ordinality, l.line ->> 'dimension', l.line ->> 'qualifier', (l.line ->> 'quantity')::numeric,
        (l.line ->> 'unit_price')::numeric, (l.line ->> 'unit_qty')::numeric, (l.line ->> 'cost')::numeric, l.line ->> 'tier',
        (l.line ->> 'context_min_tokens')::integer, l.line ->> 'priced_as', l.line ->> 'model', (l.line ->> 'price_id')::bigint,
        nullif(p.valid_from, '-infinity'), p.source, p.org_id is not null, p.revision
    from jsonb_array_elements(p_cost_lines) with ordinality as l (line, ordinality)
    left join public.model_prices p on p.id = (l.line ->> 'price_id')::bigint
    order by l.ordinality
$$;

comment on function app.price_lines is 'Lines of a cost with source, date and revision of the price of each.';
revoke execute on function app.price_lines from public, anon, authenticated, service_role;
grant execute on function app.price_lines to authenticated;
