-- fill_objects(calls): remembers which call made which object, and fills the cost of calls whose object is now seen finished
--
-- Objects are responses in the background, batches and videos, and whatever else stays at OpenAI after its call. An
-- object is remembered when it is unfinished, or when it was made under an OpenAI account that only one organization
-- uses (makes).
--
-- OpenAI repeats the usage of an object in every answer about it. The first call that sees the final state with usage marks
-- the object as priced (priced_at), by an update that only one call can win, and fills the cost of the call that made the
-- object. While the final state is seen without usage, as in the answer that cancels a batch, the cost stays unknown and the
-- cost status becomes no_usage. An object that was finished in the answer of the call that made it is marked as priced from
-- the beginning; one whose answer broke off before its usage is not, so that a later call can still tell what it cost. Where
-- the final state names no model or tier, those of the call that made the object hold.
--
-- A call that lists objects (GET /batches) sees each of them: listed has the finished ones. The output file of a batch is an object,
-- too, with the request {"output_file": true}, as long as the batch has usage but no cost; fill_batch takes what the call that
-- downloads all of it says. Other calls about the file change nothing.
--
-- The end may also have been seen before the call that made the object was settled, see sightings_before.
--
-- The object's usage says nothing of the request that made it. So the completion window and the region stay remembered with
-- the object (request), and are priced and stored with its usage; the region of the call that saw it does not matter.
--
-- p_calls: as for settle_calls.
create or replace function app.fill_objects(p_calls jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_seen record;
    v_made record;
    v_price record;
    v_usage jsonb;  -- of the object, with what only its request tells
begin
    insert into private.upstream_objects (upstream_account, object_id, org_id, project_id, call_id, started_at, priced_at,
        request)
    select c.account, c.upstream_object_id, c.org_id, c.project_id, c.id, c.started_at,
           case when c.outcome not in ('pending', 'no_usage') then clock_timestamp() end,
           case when c.outcome in ('pending', 'no_usage') then nullif(jsonb_strip_nulls(jsonb_build_object(
               'completion_window', c.usage -> 'completion_window', 'region', coalesce(c.usage ->> 'region', c.region))), '{}') end
    from jsonb_to_recordset(p_calls) as c (id uuid, started_at timestamptz, org_id uuid, project_id uuid, account text,
                                           method text, endpoint text, outcome text, upstream_object_id text,
                                           makes boolean, usage jsonb, region text)
    where (c.outcome = 'pending' or c.makes and c.outcome <> 'error') and c.upstream_object_id is not null
      and not app.is_sighting(c.method, c.endpoint)
    order by c.account, c.upstream_object_id
    on conflict do nothing;

    if p_calls @? '$[*] ? (@.outcome == "pending" && @.method == "POST")' then
        p_calls := app.sightings_before(p_calls);
    end if;
    for v_seen in
        select c.org_id, c.account, o.*
        from jsonb_to_recordset(p_calls) as c (org_id uuid, account text, method text, endpoint text, outcome text, model text,
            service_tier text, usage jsonb, tools jsonb, upstream_object_id text, output_file_id text, listed jsonb)
        cross join lateral (
            select c.model, c.service_tier, c.usage, c.tools, c.upstream_object_id, c.output_file_id
            union all
            select * from jsonb_to_recordset(c.listed) as l (
                model text, service_tier text, usage jsonb, tools jsonb, upstream_object_id text, output_file_id text)
        ) o
        where c.outcome = 'complete' and o.upstream_object_id is not null and app.is_sighting(c.method, c.endpoint)
        order by c.account, o.upstream_object_id
    loop
        if v_seen.usage ? 'by_length' then
            perform app.fill_batch(v_seen.account, v_seen.upstream_object_id, v_seen.org_id, v_seen.usage);
            continue;
        end if;
        update private.upstream_objects o
        set priced_at = case when coalesce(v_seen.usage, v_seen.tools) is not null then clock_timestamp() end
        where o.upstream_account = v_seen.account and o.object_id = v_seen.upstream_object_id
          and o.org_id = v_seen.org_id and o.priced_at is null
          and not coalesce(o.request ? 'output_file', false)
        returning o.call_id, o.started_at, o.request into v_made;
        if found then
            v_usage := (v_seen.usage - 'region') || coalesce(v_made.request, '{}');
            select u.* into v_made from public.usage_logs u where u.id = v_made.call_id and u.started_at = v_made.started_at;
            select * into v_price from app.price_usage(v_made.org_id, v_made.endpoint, coalesce(v_seen.model, v_made.model),
                v_made.model_requested, coalesce(v_seen.service_tier, v_made.service_tier), v_made.batch, v_usage, v_seen.tools,
                v_made.started_at);
            if not app.fill_call(v_made.id, v_made.started_at, v_price.cost, v_price.cost_status, v_price.cost_lines,
                v_usage, v_seen.tools, v_seen.model, v_seen.service_tier, 'a later call reported the final state') then
                perform app.correct_closed(v_made.id, v_made.started_at, v_price.cost, v_price.cost_lines, v_usage);
            end if;
        end if;
        if v_seen.output_file_id is not null then
            insert into private.upstream_objects (upstream_account, object_id, org_id, project_id, call_id, started_at, request)
            select o.upstream_account, v_seen.output_file_id, o.org_id, o.project_id, o.call_id, o.started_at, '{"output_file": true}'
            from private.upstream_objects o
            join public.usage_logs u on u.id = o.call_id and u.started_at = o.started_at and u.cost is null and u.usage ? 'input_tokens'
            where o.upstream_account = v_seen.account and o.object_id = v_seen.upstream_object_id and o.org_id = v_seen.org_id
            on conflict do nothing;
        end if;
    end loop;
end $$;

comment on function app.fill_objects is
    'Prices background responses, batches and videos once: when the first call sees their final state.';
-- No grant: part of settle_calls.
revoke execute on function app.fill_objects from public, anon, authenticated, service_role;
