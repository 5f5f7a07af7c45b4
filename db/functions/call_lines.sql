-- call_lines(id) → how the cost of one call came about: each quantity with the price row that was used
create or replace function app.call_lines(p_id uuid)
returns table (
    n bigint, dimension text, qualifier text, quantity numeric, unit_price numeric, unit_qty numeric, cost numeric, tier text,
    context_min_tokens integer, priced_as text, model text, price_id bigint, valid_from timestamptz, source text, own_price boolean,
    revision integer
)
language sql stable
set search_path = ''
as $$
    select l.* from app.call_show(p_id) c cross join lateral app.price_lines(c.cost_lines) l order by l.n
$$;

comment on function app.call_lines is 'Lines of the cost of one call, with the source and date of the price each was priced by.';
revoke execute on function app.call_lines from public, anon, authenticated, service_role;
grant execute on function app.call_lines to authenticated;
