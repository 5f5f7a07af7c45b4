-- evidence_close(call): an admin closes a call in doubt or without usage with what a minute of OpenAI's says it used
--
-- The call gets usage, cost and the lines of its cost as a fill. A settle message that still comes changes nothing:
-- what OpenAI counted is what it bills.
--
-- Errors: PT404 evidence_not_found, PT409 evidence_unpriced when a price is missing, and those of app.call_end.
create or replace function app.evidence_close(p_call_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_found record;
    v_reason text;
begin
    perform from public.organizations o where o.id = v_org for no key update;  -- two confirmations: one after the other
    select e.* into v_found from app.call_evidence(v_org, (app.call_began(p_call_id) at time zone 'utc')::date) e where e.call_id = p_call_id;
    if not found then
        raise sqlstate 'PT404' using message = 'no minute of OpenAI''s proves what this call used', detail = 'evidence_not_found';
    elsif v_found.cost is null then
        raise sqlstate 'PT409' using message = 'what the call used has no price: set one first', detail = 'evidence_unpriced';
    end if;
    v_reason := format('OpenAI counted one request of its key and model at %s UTC', to_char(v_found.minute at time zone 'utc', 'YYYY-MM-DD HH24:MI'));
    if v_found.reason = 'in_doubt' then
        perform app.call_end(v_org, p_call_id, null, v_reason);
        update private.closed_calls h set settled_at = clock_timestamp() where h.call_id = p_call_id and h.started_at = v_found.started_at;
    end if;
    perform app.fill_call(p_call_id, v_found.started_at, v_found.cost, 'priced', v_found.cost_lines, v_found.usage, null,
        v_found.model, v_found.tier, v_reason);
    perform app.audit(v_org, 'call.proven', p_call_id, jsonb_build_object('cost', v_found.cost::text, 'minute', v_found.minute,
        'usage', v_found.usage));
end $$;

comment on function app.evidence_close is 'Closes a call of unknown use with what OpenAI counted in the minute that proves it; audited.';
revoke execute on function app.evidence_close from public, anon, authenticated, service_role;
grant execute on function app.evidence_close to authenticated;
