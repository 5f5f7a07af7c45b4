-- cost_of_call(...) → cost, status and lines of one finished call, whatever became of it
--
-- The gateway says how the call ended; only a complete answer is priced. A GET never costs: reading something that was
-- paid for when it was made is not paid again.
create or replace function app.cost_of_call(
    p_org_id uuid, p_endpoint text, p_method text, p_outcome text, p_model text, p_model_requested text,
    p_service_tier text, p_batch boolean, p_usage jsonb, p_tools jsonb, p_at timestamptz
) returns table (cost numeric, cost_status text, cost_lines jsonb)
language plpgsql stable
set search_path = ''
as $$
begin
    if p_outcome = 'error' then
        return query select 0::numeric, 'error', '[]'::jsonb;
    elsif p_outcome = 'no_usage' then
        return query select null::numeric, 'no_usage', null::jsonb;
    elsif p_method = 'GET' or p_method = 'HEAD' or p_endpoint = '/v1/responses/input_tokens' then
        return query select 0::numeric, 'free', '[]'::jsonb;
    else
        return query select * from app.price_usage(p_org_id, p_endpoint, p_model, p_model_requested, p_service_tier,
                                                   p_batch, p_usage, p_tools, p_at);
    end if;
end $$;

comment on function app.cost_of_call is 'Cost of a finished call: nothing for errors and reads, unknown without usage, else app.price_usage.';
-- No grant: part of settle_calls.
revoke execute on function app.cost_of_call from public, anon, authenticated, service_role;
