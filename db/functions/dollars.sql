-- dollars(amount) → US dollars as text for people, to the last digit and with at least two decimals: $2.50, -$0.0125; null for null
create or replace function app.dollars(p_amount numeric) returns text
language sql immutable strict parallel safe
set search_path = ''
as $$
    select case when p_amount < 0 then '-' else '' end || '$' || round(abs(p_amount), greatest(min_scale(p_amount), 2))
$$;

comment on function app.dollars is 'US dollars as text for people, to the last digit and with at least two decimals.';
-- Granted for price_list, which runs with the rights of its caller; other functions use it too.
revoke execute on function app.dollars from public, anon, authenticated, service_role;
grant execute on function app.dollars to authenticated;
