-- evidence_close(call) → its cost: an admin closes a call in doubt, or without usage, with the minute of OpenAI's that proves it
--
-- The call gets the usage that OpenAI counted and the cost of that usage at the organization's prices. A settle message that
-- comes later books the difference, as for every call closed by hand (see settle_closed). The minute stands in the audit log.
-- Raises PT404 call_not_found, PT409 no_evidence (OpenAI's minutes, as fetched, do not prove the call, or a price is missing).
create or replace function app.evidence_close(p_call_id uuid) returns numeric
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_began timestamptz := app.call_began(p_call_id);
    v_call public.usage_logs;
    v_proof record;
    v_reason text;
begin
    select u.* into v_call from public.usage_logs u
    where u.org_id = v_org and u.id = p_call_id
      and u.started_at between v_began - interval '1 s' and v_began + interval '1 s' for update;
    if not found then
        raise sqlstate 'PT404' using message = 'no such call', detail = 'call_not_found';
    end if;
    select e.* into v_proof from app.call_evidence(v_org, (v_call.started_at at time zone 'utc')::date) e
    where e.call_id = p_call_id and e.cost is not null;
    if not found then
        raise sqlstate 'PT409' using message = 'no minute of OpenAI''s books proves what this call used', detail = 'no_evidence',
            hint = 'Fetch OpenAI''s books, or close the call by hand';
    end if;
    v_reason := format('OpenAI counted one request of this key and model in the minute %s UTC',
        to_char(v_proof.minute at time zone 'utc', 'YYYY-MM-DD HH24:MI'));
    if v_call.state = 'open' then
        update public.usage_logs u set state = 'settled', settled_at = clock_timestamp(), cost = v_proof.cost, cost_status = 'priced',
            cost_lines = v_proof.cost_lines, usage = v_proof.usage, model = v_proof.model, tokens_in = t.tokens_in,
            tokens_out = t.tokens_out, tokens_cached = t.tokens_cached, tokens_cache_write = t.tokens_cache_write,
            tokens_reasoning = t.tokens_reasoning, tokens_audio_in = t.tokens_audio_in, tokens_audio_out = t.tokens_audio_out
        from app.tokens_of(v_proof.usage) t
        where u.id = v_call.id and u.started_at = v_call.started_at;
    else
        perform app.fill_call(v_call.id, v_call.started_at, v_proof.cost, 'priced', v_proof.cost_lines, v_proof.usage, null,
            v_proof.model, null, v_reason);
    end if;
    insert into private.closed_calls (call_id, started_at, org_id, cost, reason, closed_by, settled_at)
    values (v_call.id, v_call.started_at, v_org, v_proof.cost, v_reason, auth.uid(), v_call.settled_at)
    on conflict do nothing;
    perform app.audit(v_org, 'call.closed', v_call.id, jsonb_build_object('cost', v_proof.cost::text, 'reason', v_reason,
        'minute', v_proof.minute, 'usage', v_proof.usage));
    return v_proof.cost;
end $$;

comment on function app.evidence_close is 'Closes a call of the admin''s organization with what OpenAI''s minutes say it used.';
revoke execute on function app.evidence_close from public, anon, authenticated, service_role;
grant execute on function app.evidence_close to authenticated;
