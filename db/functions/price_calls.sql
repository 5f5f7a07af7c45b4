-- price_calls(calls) → cost, status and lines of each, as price_usage gives them, for many calls at once
--
-- Calls that name the same models in the same tier share one look-up. So that their moments may differ, all are priced as
-- of the last one, unless a price began between the first and the last.
--
-- p_calls: [{n, org_id, endpoint, model, model_requested, service_tier, batch, usage, tools, started_at}, …]
create or replace function app.price_calls(p_calls jsonb)
returns table (n integer, cost numeric, cost_status text, cost_lines jsonb)
language plpgsql stable parallel safe
set search_path = ''
as $$
declare
    v_call record;
    v_moment timestamptz;
    v_known jsonb := '{}';
    v_terms jsonb;
    v_price record;
begin
    select case when not exists (select from public.model_prices p where p.valid_from > c.first and p.valid_from <= c.last)
        then c.last end into v_moment
    from (select min(c.started_at) as first, max(c.started_at) as last
          from jsonb_to_recordset(p_calls) as c (started_at timestamptz)) as c;

    for v_call in
        select c.n, c.endpoint, c.usage, c.tools, k.*, k::text as key
        from jsonb_to_recordset(p_calls) as c (
            n integer, org_id uuid, endpoint text, model text, model_requested text, service_tier text, batch boolean,
            usage jsonb, tools jsonb, started_at timestamptz)
        cross join lateral (select c.org_id, c.endpoint as path, c.model, c.model_requested, c.usage ->> 'size' as size,
            coalesce(c.usage #>> '{tool_usage,image_model}', c.usage ->> 'image_model') as image_model,
            app.price_tier_of(c.service_tier, c.batch) as tier, c.tools is not null as with_tools,
            coalesce(v_moment, c.started_at, now()) as at) as k
    loop
        v_terms := v_known -> v_call.key;
        if v_terms is null then
            v_terms := app.price_terms(v_call.org_id, v_call.endpoint, v_call.model, v_call.model_requested, v_call.size,
                v_call.image_model, v_call.tier, v_call.with_tools, v_call.at);
            v_known := v_known || jsonb_build_object(v_call.key, v_terms);
        end if;
        v_price := app.price_call(v_call.endpoint, v_call.usage, v_call.tools,
            coalesce(v_call.model, v_call.model_requested) is not null, v_terms);
        n := v_call.n;
        cost := v_price.cost;
        cost_status := v_price.cost_status;
        cost_lines := v_price.cost_lines;
        return next;
    end loop;
end $$;

comment on function app.price_calls is
    'Prices many calls at once, exactly as price_usage prices each; one row back per call, told apart by n.';
revoke execute on function app.price_calls from public, anon, authenticated, service_role;
-- No grant: for settling and repricing, which run as the owner.
