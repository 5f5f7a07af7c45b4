-- price_count(json value) → a count as numeric; NaN when the value is no count, null when it is absent or a JSON null
--
-- A count is a number from 0 to 10^12, or text with such a number in decimal notation (an exponent is allowed);
-- fractions are rounded to 12 decimals. More than 10^12 of anything is taken for a mistake of the sender.
--
-- NaN instead of an error, because one malformed answer must not stop the settling of a call. NaN survives addition, so
-- a caller can test the sum of several counts once.
create or replace function app.price_count(p_value jsonb) returns numeric
language plpgsql immutable strict parallel safe  -- strict: absent counts, the most frequent, are not even evaluated
set search_path = ''
as $$
declare
    v_count numeric;
begin
    if jsonb_typeof(p_value) = 'number' then
        v_count := p_value::numeric;
    -- Checked here, so that every version of Postgres accepts the same text: newer ones would also read 1_000 and 0x1F.
    elsif jsonb_typeof(p_value) = 'string' and length(p_value #>> '{}') <= 64
          and p_value #>> '{}' ~ '^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$' then
        v_count := (p_value #>> '{}')::numeric;
    elsif jsonb_typeof(p_value) = 'null' then
        return null;
    end if;
    if v_count between 0 and 1000000000000 then
        return case when scale(v_count) = 0 then v_count else trim_scale(round(v_count, 12)) end;
    end if;
    return 'NaN';
end $$;

comment on function app.price_count is
    'A count from OpenAI''s JSON: null when absent, NaN when it is no count (negative, above 10^12, of a wrong type).';
revoke execute on function app.price_count from public, anon, authenticated, service_role;
grant execute on function app.price_count to authenticated;
