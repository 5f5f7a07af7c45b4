-- count_of(json) → a whole number from 0 to 10^12, or null; never an error, whatever the JSON is
create or replace function app.count_of(p_value jsonb) returns bigint
language plpgsql immutable strict parallel safe
set search_path = ''
as $$
begin
    return case
        when p_value between '0' and '999999999999' and scale(p_value::numeric) = 0 then p_value::bigint  -- nearly all
        when (p_value #>> '{}') ~ '^\d{1,12}(\.0{1,6})?$' and jsonb_typeof(p_value) in ('number', 'string')
        then trunc((p_value #>> '{}')::numeric)::bigint
    end;
end $$;

comment on function app.count_of is 'A count as OpenAI sends it (number or numeric text); null when it is not one.';
-- No grant: part of tokens_of.
revoke execute on function app.count_of from public, anon, authenticated, service_role;
