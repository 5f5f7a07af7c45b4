-- count_of(json) → a count of tokens for a column of usage_logs: a whole number below 10^12, or null; never an error
--
-- Stricter than app.price_count, which reads the same JSON for pricing: half a token, or text that is more than digits
-- (1e3), is shown as unknown. Money does not depend on it.
create or replace function app.count_of(p_value jsonb) returns bigint
language plpgsql immutable strict parallel safe
set search_path = ''
as $$
begin
    return case
        when p_value between '0' and '999999999999' and scale(p_value::numeric) = 0 then p_value::bigint  -- nearly all
        when p_value #>> '{}' ~ '^[0-9]{1,12}(\.0{1,6})?$' then app.price_count(p_value)::bigint
    end;
end $$;

comment on function app.count_of is 'A count of tokens as OpenAI sends it (number or text of digits); null when it is none.';
-- No grant: part of tokens_of.
revoke execute on function app.count_of from public, anon, authenticated, service_role;
