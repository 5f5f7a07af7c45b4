-- reprice_organization(organization, from, to, models, reason, dry run) → what pricing its calls of a period again changed
--
-- p_models: only calls that one of these price models prices: by the name that answered, the name that was asked for, or
-- a model that worked beside them (price_others); *tools: calls that used tools; *tokens: calls with a region or a completion
-- window. Null: all calls. The rest: see reprice, which this is a part of.
create or replace function app.reprice_organization(
    p_org_id uuid, p_from timestamptz, p_to timestamptz, p_models text[], p_reason text, p_dry_run boolean,
    out calls bigint, out filled_calls bigint, out filled_cost numeric, out adjusted_calls bigint, out adjusted_cost numeric,
    out unpriced_calls bigint
)
language plpgsql
set search_path = ''
as $$
declare
    c_batch constant integer := 500;
    v_org public.organizations := (select o from public.organizations o where o.id = p_org_id);
    v_names text[] := (select array_agg(n.name) from app.reprice_names(p_org_id) n
                             where p_models is not null and n.model = any (p_models));
    v_last record;
    v_batch jsonb;
    v_done record;
begin
    -- As detaching a month does: flask retention has to wait, since corrections of calls that vanish meanwhile are in no total.
    lock table only public.usage_logs in share update exclusive mode;
    select 0, 0, 0, 0, 0, 0 into calls, filled_calls, filled_cost, adjusted_calls, adjusted_cost, unpriced_calls;
    select p_from as at, '00000000-0000-0000-0000-000000000000'::uuid as id into v_last;
    loop
        select jsonb_agg(to_jsonb(c) || jsonb_build_object('n', c.place) order by c.place) into v_batch
        from (
            select row_number() over () as place, u.*
            from (
                select u.id, u.started_at, u.org_id, u.endpoint, u.model, u.model_requested, u.service_tier, u.batch, u.usage,
                    u.tools, u.cost, u.cost_lines
                from public.usage_logs u
                where u.org_id = p_org_id and u.upstream = v_org.books and u.state = 'settled'
                  and u.started_at >= v_last.at and u.started_at < p_to and (u.started_at, u.id) > (v_last.at, v_last.id)
                  and u.cost_status in ('priced', 'tier_fallback', 'unpriced_model', 'unpriced_dimension')
                  and (p_models is null or array[u.model, u.model_requested] && v_names or app.price_others(u.usage) && v_names
                       or '*tools' = any (p_models) and u.tools is not null
                       or '*tokens' = any (p_models) and u.usage ?| array['region', 'completion_window'])
                order by u.started_at, u.id limit c_batch
            ) u
        ) c;
        exit when v_batch is null;
        select b.* into v_done from app.reprice_batch(v_batch, p_reason, p_dry_run) b;
        calls := calls + jsonb_array_length(v_batch);
        filled_calls := filled_calls + v_done.filled_calls;
        filled_cost := filled_cost + v_done.filled_cost;
        adjusted_calls := adjusted_calls + v_done.adjusted_calls;
        adjusted_cost := adjusted_cost + v_done.adjusted_cost;
        unpriced_calls := unpriced_calls + v_done.unpriced_calls;
        select (v_batch -> -1 ->> 'started_at')::timestamptz as at, (v_batch -> -1 ->> 'id')::uuid as id into v_last;
        raise info '%: % calls, up to % UTC', v_org.name, calls, to_char(v_last.at at time zone 'utc', 'YYYY-MM-DD HH24:MI');
    end loop;
    if not p_dry_run and filled_calls + adjusted_calls > 0 then
        perform app.audit(p_org_id, 'calls.repriced', null, jsonb_build_object('from', p_from, 'to', p_to, 'reason', p_reason,
            'filled_calls', filled_calls, 'filled_cost', filled_cost::text,
            'adjusted_calls', adjusted_calls, 'adjusted_cost', adjusted_cost::text)
            || case when p_models is null then '{}' else jsonb_build_object('models', p_models) end);
    end if;
end $$;

comment on function app.reprice_organization is
    'Prices one organization''s calls of a period again, all of them or those of some price models; part of reprice.';
-- No grant: part of reprice and reprice_new.
revoke execute on function app.reprice_organization from public, anon, authenticated, service_role;
