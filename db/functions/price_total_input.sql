-- price_total_input(quantities) → all input tokens, cached and written ones included: the size of the context
create or replace function app.price_total_input(p_quantities jsonb) returns numeric
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_names jsonb := app.price_groups() -> 'input';
    v_total numeric := 0;
begin
    for i in 0 .. jsonb_array_length(v_names) - 1 loop
        v_total := v_total + coalesce((p_quantities -> (v_names ->> i))::numeric, 0);
    end loop;
    return v_total;
end $$;

comment on function app.price_total_input is
    'Sum of all input tokens of disjoint quantities; decides the context band of prices.';
revoke execute on function app.price_total_input from public, anon, authenticated, service_role;
grant execute on function app.price_total_input to authenticated;
