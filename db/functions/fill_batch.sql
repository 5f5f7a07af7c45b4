-- fill_batch(account, file, org, said) → fills the cost of a batch, given what its output file says of each request
--
-- OpenAI's usage of a batch does not tell all that its requests are billed by (see price_call). So fill_objects remembers its
-- output file, as an object of the call that made the batch, as long as the batch has usage but no cost. The call that downloads all
-- of the file brings p_said, {input_tokens, output_tokens, by_length, tools, tool_usage, svg_usage}, which is added to the usage of the
-- call that made the batch, and tools, if any, to its tools. Where only a price is missing they are added all the same, and the cost
-- status says so: then pricing the call again later needs no file. A file whose counts of tokens are not those of the batch, or that
-- does not tell the cost, changes nothing: a later download may tell it. p_file: the id of the file at OpenAI.
create or replace function app.fill_batch(p_account text, p_file text, p_org_id uuid, p_said jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
    c_reason constant text := 'its output file told what its requests used';
    v_object private.upstream_objects;
    v_made public.usage_logs;
    v_usage jsonb;
    v_price record;
begin
    select o.* into v_object from private.upstream_objects o
    where o.upstream_account = p_account and o.object_id = p_file and o.org_id = p_org_id and o.priced_at is null
      and o.request ? 'output_file'
    for no key update;
    select u.* into v_made from public.usage_logs u where u.id = v_object.call_id and u.started_at = v_object.started_at;
    if not found or (v_made.usage -> 'input_tokens', v_made.usage -> 'output_tokens') is distinct from
        (p_said -> 'input_tokens', p_said -> 'output_tokens') then
        return;  -- no batch waits for this file, or it is not that of the batch
    end if;
    v_usage := v_made.usage || (p_said - 'tools');
    select * into v_price from app.price_usage(v_made.org_id, v_made.endpoint, v_made.model, v_made.model_requested,
        v_made.service_tier, v_made.batch, v_usage, p_said -> 'tools', v_made.started_at);
    if v_price.cost is null then
        if v_price.cost_status in ('unpriced_model', 'unpriced_dimension')
           and not app.fill_call(v_made.id, v_made.started_at, null, v_price.cost_status, v_price.cost_lines,
               v_usage, p_said -> 'tools', null, null, c_reason) then  -- it has this status already
            update public.usage_logs u set usage = v_usage, tools = p_said -> 'tools'
            where u.id = v_made.id and u.started_at = v_made.started_at and u.cost is null and u.usage <> v_usage;
        end if;
        return;
    end if;
    update private.upstream_objects o set priced_at = clock_timestamp()
    where o.upstream_account = p_account and o.object_id = p_file;
    if not app.fill_call(v_made.id, v_made.started_at, v_price.cost, v_price.cost_status, v_price.cost_lines,
        v_usage, p_said -> 'tools', null, null, c_reason) then
        perform app.correct_closed(v_made.id, v_made.started_at, v_price.cost, v_price.cost_lines, v_usage);
    end if;
end $$;

comment on function app.fill_batch is 'Fills the cost of a batch with what its output file says of each request; part of fill_objects.';
-- No grant: part of fill_objects.
revoke execute on function app.fill_batch from public, anon, authenticated, service_role;
