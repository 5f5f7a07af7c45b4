-- price_calls(calls) → cost, cost status and lines of each call, as price_usage gives them, for many calls at once
--
-- Looking prices up takes most of the time, so calls with equal model names, tier and so on share one look-up, at the
-- moment of the last call. Only when some price came into force between the first and the last call, each call is looked
-- up at its own moment.
--
-- p_calls: [{n, org_id, endpoint, model, model_requested, service_tier, batch, usage, tools, started_at}, …]; n tells
-- the rows of the answer apart.
create or replace function app.price_calls(p_calls jsonb)
returns table (n integer, cost numeric, cost_status text, cost_lines jsonb)
language plpgsql stable parallel safe
set search_path = ''
set plan_cache_mode = force_generic_plan  -- planning these look-ups takes longer than running them
as $$
declare
    v_call record;
    v_key record;
    v_moment timestamptz;
    v_known jsonb := '{}';
    v_terms jsonb;
    v_price record;
begin
    if jsonb_array_length(p_calls) > 1 then
        select case when not exists (select from public.model_prices p where p.valid_from > c.first and p.valid_from <= c.last)
            then c.last end into v_moment
        from (select min(c.started_at) as first, max(c.started_at) as last
              from jsonb_to_recordset(p_calls) as c (started_at timestamptz)) as c;
    end if;

    for v_call in
        select c.n, c.endpoint, c.usage, c.tools, coalesce(c.model, c.model_requested) is not null as named, k, k::text as key
        from jsonb_to_recordset(p_calls) as c (
            n integer, org_id uuid, endpoint text, model text, model_requested text, service_tier text, batch boolean,
            usage jsonb, tools jsonb, started_at timestamptz)
        cross join lateral (select c.org_id, c.endpoint, c.model, c.model_requested, c.service_tier, c.batch,
            c.usage ->> 'size' as size,
            app.price_others(c.usage) as others,
            c.tools is not null or coalesce(c.usage ?| array['region', 'completion_window'], false) as with_extras,
            case when least(c.usage -> 'input_tokens', c.usage -> 'prompt_tokens') >= '0'
                and greatest(c.usage -> 'input_tokens', c.usage -> 'prompt_tokens') <= '100000' then 100000 end
                as input_limit,
            case when v_moment is null then c.started_at end as moment) as k
    loop
        v_terms := v_known -> v_call.key;
        if v_terms is null then
            v_key := v_call.k;
            v_terms := app.price_terms(v_key.org_id, v_key.endpoint, v_key.model, v_key.model_requested, v_key.size,
                v_key.others, app.price_tier_of(v_key.service_tier, v_key.batch), v_key.with_extras, v_key.input_limit,
                coalesce(v_moment, v_key.moment, now()));
            v_known := v_known || jsonb_build_object(v_call.key, v_terms);
        end if;
        v_price := app.price_call(v_call.endpoint, v_call.usage, v_call.tools, v_call.named, v_terms);
        n := v_call.n;
        cost := v_price.cost;
        cost_status := v_price.cost_status;
        cost_lines := v_price.cost_lines;
        return next;
    end loop;
end $$;

comment on function app.price_calls is
    'Prices many calls at once, each exactly as price_usage does; one row per call, told apart by n.';
revoke execute on function app.price_calls from public, anon, authenticated, service_role;
-- No grant: part of settle_calls and reprice_batch, which run as the owner.
