-- call_lines(call id) → the lines of a call's cost: each quantity that was used, with the price row that priced it
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

comment on function app.call_lines is
    'Lines of the cost of one call: each quantity with its price, where that price comes from, and since when it holds.';
revoke execute on function app.call_lines from public, anon, authenticated, service_role;
grant execute on function app.call_lines to authenticated;
