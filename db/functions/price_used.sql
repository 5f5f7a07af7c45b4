-- price_used(cost_lines) → {price_ids, lines}: the prices and lines behind a cost, as corrections keep them in details
create or replace function app.price_used(p_cost_lines jsonb) returns jsonb
language sql immutable parallel safe
set search_path = ''
as $$
    select jsonb_build_object(
        'price_ids', coalesce((select jsonb_agg(distinct l -> 'price_id') from jsonb_array_elements(p_cost_lines) as l), '[]'),
        'lines', coalesce(p_cost_lines, '[]'))
$$;

comment on function app.price_used is 'Prices and lines behind a cost, for the details of a correction.';
-- No grant: part of reprice_batch and correct_closed.
revoke execute on function app.price_used from public, anon, authenticated, service_role;
