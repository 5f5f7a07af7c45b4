-- open_calls(calls, install key, its fingerprint) → one row per call: whether it may go upstream, and with which OpenAI key
--
-- One transaction checks the proxy key and writes the open row. So a revoked key is refused from the next call on, and every
-- call that went upstream has a row. A call whose row exists counts as opened: a gateway that did not get the answer to its
-- commit sends the same call again.
--
-- outcome: opened, or why not: invalid_key, revoked_key, expired_key, archived_project, clock_skew (started_at is more than
-- 60 s off the database's clock), no_provider_key, or the call's objection. The gateway objects to a call that makes or names an
-- object which OpenAI keeps after the call, and to one whose body it cannot read. Such a call is refused only where several
-- organizations use the same OpenAI key, because at OpenAI they could reach each other's objects (shared: true); and not when
-- object_id, the only object that it names, was made by the organization itself (see made_object).
--
-- A session over WebSocket is opened in the same way (begins_session: true), with a row in websocket_sessions; then its calls, one
-- by one, with its session_id and its provider key, also when another one was stored meanwhile.
--
-- p_calls: [{n, id, started_at, max_seconds, key_hash (hex), endpoint, method, model, stream, end_user, tags, objection,
-- object_id, session_id, begins_session, provider_key_id, seen_as, side}, …]; with seen_as only the call that seen_first names gets a row.
-- p_install_key: which organizations the install's own OpenAI key serves: none, first (only the first one) or shared (all).
-- p_install_fingerprint: of that key, as in provider_keys.fingerprint; null without one.
-- provider_key: the stored provider key, encrypted; null for the install's own key and for the sandbox. provider_project_id:
-- the project that it is stored for; null for a key of the organization. account: the organization's own, install or sandbox.
-- provider_key_id: version of the key, which the row keeps. It is read from the same row as the encrypted key, so that a key
-- replaced at this moment labels no call that was sent with the one before. Of the install's key: the latest version with its
-- fingerprint (see install_key_version). metadata_tags: whether `metadata` of the project's requests becomes tags.
create or replace function app.open_calls(p_calls jsonb, p_install_key text, p_install_fingerprint bytea)
returns table (
    n integer, outcome text, org_id uuid, project_id uuid, api_key_id uuid, upstream text,
    provider_key bytea, provider_project_id uuid, base_url text, account text, shared boolean, provider_key_id uuid,
    metadata_tags boolean
)
language plpgsql security definer
set search_path = ''
set enable_seqscan = off  -- plans are kept: one that was made for small tables must not scan large ones
set plan_cache_mode = force_generic_plan
set jit = off  -- see settle_calls
as $$
#variable_conflict use_column
declare
    v_call app.opening;
    v_hash text;  -- of the key that v_caller is of
    v_caller record;
    v_opened app.opening[] := '{}';
    v_begun app.opening[] := '{}';
begin
    -- Calls of a key follow each other, so each key is looked up once. Expressions without a query cost least.
    foreach v_call in array array(
        select c from jsonb_populate_recordset(null::app.opening, p_calls) c order by c.key_hash, c.seen_as)
    loop
        if v_call.key_hash is distinct from v_hash or v_hash is null then
            v_hash := v_call.key_hash;
            v_caller := app.caller_of(v_hash, p_install_key, p_install_fingerprint);
        end if;
        outcome := case
            when v_caller.key_id is null then 'invalid_key'
            when v_caller.revoked_at is not null then 'revoked_key'
            when v_caller.expires_at <= clock_timestamp() then 'expired_key'
            when v_caller.archived_at is not null then 'archived_project'
            when v_call.started_at not between clock_timestamp() - interval '60 s' and clock_timestamp() + interval '60 s' then 'clock_skew'
            when v_caller.upstream is null then 'no_provider_key'
            else 'opened'
        end;
        if outcome = 'opened' and v_caller.shared and v_call.objection is not null then
            if v_call.object_id is null or not app.made_object(
                v_caller.org_id, case when v_caller.is_own then v_caller.org_id::text else 'install' end, v_call.object_id,
                case when v_caller.is_own then v_caller.fingerprint else p_install_fingerprint end, v_caller.base_url) then
                outcome := v_call.objection;
            end if;
        end if;
        n := v_call.n;
        org_id := v_caller.org_id;
        project_id := v_caller.project_id;
        api_key_id := v_caller.key_id;
        upstream := v_caller.upstream;
        provider_key := v_caller.ciphertext;
        provider_project_id := v_caller.provider_project_id;
        base_url := v_caller.base_url;
        account := case when v_caller.is_own then v_caller.org_id::text when v_caller.upstream = 'openai' then 'install'
            else v_caller.upstream end;
        shared := case when outcome = 'opened' then v_caller.shared end;
        provider_key_id := coalesce(v_call.provider_key_id, v_caller.version);
        metadata_tags := v_caller.metadata_tags;
        return next;

        continue when outcome <> 'opened';
        v_call.org_id := v_caller.org_id;
        v_call.project_id := v_caller.project_id;
        v_call.api_key_id := v_caller.key_id;
        v_call.upstream := v_caller.upstream;
        v_call.provider_key_id := provider_key_id;
        if v_call.begins_session then
            v_begun := v_begun || v_call;
        elsif v_call.seen_as is null then
            v_opened := v_opened || v_call;
        elsif app.seen_first(v_caller.org_id, v_call.seen_as, v_call.side, v_call.id, v_call.started_at) then
            v_opened := v_opened || v_call;
        end if;
    end loop;

    if v_opened <> '{}' then
        insert into public.usage_logs (id, org_id, project_id, api_key_id, started_at, deadline_at, state, upstream,
                                       endpoint, method, stream, batch, model_requested, end_user, tags, provider_key_id, session_id)
        select c.id, c.org_id, c.project_id, c.api_key_id, c.started_at, c.started_at + make_interval(secs => c.max_seconds), 'open',
               c.upstream, c.endpoint, c.method, c.stream, false, c.model, c.end_user, c.tags, c.provider_key_id, c.session_id
        from unnest(v_opened) c
        on conflict do nothing;
    end if;
    if v_begun <> '{}' then
        insert into public.websocket_sessions (id, org_id, project_id, api_key_id, started_at, deadline_at, upstream, endpoint,
                                               model_requested, tags, provider_key_id)
        select c.id, c.org_id, c.project_id, c.api_key_id, c.started_at, c.started_at + make_interval(secs => c.max_seconds),
               c.upstream, c.endpoint, c.model, c.tags, c.provider_key_id
        from unnest(v_begun) c
        on conflict do nothing;
    end if;
end $$;

comment on function app.open_calls is
    'Checks proxy keys and writes the open rows of a batch of calls; one row back per call.';
revoke execute on function app.open_calls from public, anon, authenticated, service_role;
grant execute on function app.open_calls to spendai_proxy;
