-- usage_pick(a, b) → what two names for the same thing say in one usage object: a count, or an object of counts
--
-- OpenAI's usage has two families of names, prompt_tokens and input_tokens; some answers carry both. What is absent or 0
-- gives way to the other value, equal counts are one, and objects are merged member by member. Two different counts give
-- the text "contradictory": it is no count, so no cost and no token column comes from it.
create or replace function app.usage_pick(p_one jsonb, p_other jsonb) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_one numeric;
    v_other numeric;
begin
    if p_one is null or p_other is null or p_one = p_other then
        return coalesce(p_one, p_other);
    elsif jsonb_typeof(p_one) = 'object' and jsonb_typeof(p_other) = 'object' then
        return (select coalesce(jsonb_object_agg(k, app.usage_pick(p_one -> k, p_other -> k)), '{}')
                from jsonb_object_keys(p_one || p_other) as k);
    end if;
    v_one := app.price_count(p_one);
    v_other := app.price_count(p_other);
    return case
        when (v_one = v_other and v_one <> 'NaN') or v_other = 0 or p_other = '{}' then p_one
        when v_one = 0 or p_one = '{}' then p_other
        else '"contradictory"' end;
end $$;

comment on function app.usage_pick is
    'One of two values that a usage object gives for the same count; the text "contradictory" when they differ.';
revoke execute on function app.usage_pick from public, anon, authenticated, service_role;
grant execute on function app.usage_pick to authenticated;
