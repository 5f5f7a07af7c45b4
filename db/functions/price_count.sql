-- price_count(json value) → a count; NaN when it is none, null when nothing was said
--
-- Counts come as numbers or as strings of digits. NaN rather than an error, because one strange answer must not stop the
-- settling of a call; and NaN survives addition, so the caller tests one sum. More than 10^12 of anything is a mistake.
create or replace function app.price_count(p_value jsonb) returns numeric
language plpgsql immutable strict parallel safe  -- strict: what is absent costs nothing
set search_path = ''
as $$
declare
    v_count numeric;
begin
    if jsonb_typeof(p_value) = 'number' then
        v_count := p_value::numeric;
    -- One form of string on every Postgres: newer ones also read 1_000 and 0x1F.
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
    'A count of OpenAI''s as numeric: null when absent, NaN when it is no count (negative, absurd, of the wrong type).';
revoke execute on function app.price_count from public, anon, authenticated, service_role;
grant execute on function app.price_count to authenticated;
