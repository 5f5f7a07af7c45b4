-- count_of(json) → a count of tokens for a column of usage_logs: a whole number below 10^12, or null; never an error
--
-- Whatever app.price_count reads as a whole number, in every notation it takes (100, "100", 1e2), so that the columns show
-- what was priced. Half a token is shown as unknown.
create or replace function app.count_of(p_value jsonb) returns bigint
language plpgsql immutable strict parallel safe
set search_path = ''
as $$
declare
    v_count numeric;
begin
    if p_value between '0' and '999999999999' and scale(p_value::numeric) = 0 then  -- nearly all
        return p_value::bigint;
    end if;
    v_count := app.price_count(p_value);
    return case when v_count < 1000000000000 and scale(v_count) = 0 then v_count end;
end $$;

comment on function app.count_of is 'A count of tokens as OpenAI sends it (number or text); null when it is none.';
-- No grant: part of tokens_of.
revoke execute on function app.count_of from public, anon, authenticated, service_role;
