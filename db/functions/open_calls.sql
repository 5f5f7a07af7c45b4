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
-- Plans are kept: one that was made for small tables must not scan large ones, and planning takes longer than running them.
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    v_call app.opening;
    v_hash text;  -- of the key that the variables below are of
    v_key record;
    v_first boolean := false;  -- whether the install's own OpenAI key serves only the first organization, and this is it
    v_upstream text;
    v_shared boolean;
    v_version uuid;
    v_opened app.opening[] := '{}';
    v_begun app.opening[] := '{}';
begin
    -- Calls of a key follow each other, so each key is looked up once. Expressions without a query cost least.
    foreach v_call in array array(
        select c from jsonb_populate_recordset(null::app.opening, p_calls) c order by c.key_hash, c.seen_as)
    loop
        if v_call.key_hash is distinct from v_hash or v_hash is null then
            v_hash := v_call.key_hash;
            select k.id, k.org_id, k.project_id, k.revoked_at, k.expires_at, p.archived_at, p.metadata_tags, o.is_demo, o.books,
                own.id as own_id, own.ciphertext, own.project_id as own_project, own.base_url, own.fingerprint
            into v_key
            from (select decode(v_hash, 'hex') as key_hash) h
            left join public.api_keys k on k.key_hash = h.key_hash
            left join public.projects p on p.id = k.project_id
            left join public.organizations o on o.id = k.org_id
            left join lateral (
                select pk.id, pk.ciphertext, pk.project_id, pk.base_url, pk.fingerprint from private.provider_keys pk
                where pk.org_id = k.org_id and (pk.project_id = k.project_id or pk.project_id is null)
                order by pk.project_id nulls last limit 1
            ) own on not o.is_demo;
            if p_install_key = 'first' then
                v_first := exists (select from private.install i where i.first_org_id = v_key.org_id);
            end if;
            v_upstream := case
                when v_key.ciphertext is not null then 'openai'
                when v_key.is_demo then 'sandbox'
                when p_install_key = 'shared' and v_key.id is not null or v_first then 'openai'
                -- An organization whose books are real money never gets answers of the sandbox.
                when v_key.books = 'sandbox' then 'sandbox'
            end;
            v_shared := false;
            v_version := v_key.own_id;
            if v_upstream = 'openai' then
                v_shared := v_key.ciphertext is null and p_install_key = 'shared'
                    or v_key.ciphertext is not null and v_key.fingerprint is null  -- others may use it too
                    or coalesce(v_key.fingerprint = p_install_fingerprint and not v_first, false);
                if not v_shared then
                    v_shared := exists (
                        select from private.provider_keys pk
                        where pk.fingerprint = coalesce(v_key.fingerprint, p_install_fingerprint) and pk.org_id <> v_key.org_id);
                end if;
                if v_version is null then
                    v_version := (select v.id from public.provider_key_versions v
                        where v.org_id is null and v.fingerprint = p_install_fingerprint order by v.since desc limit 1);
                end if;
            end if;
        end if;
        outcome := case
            when v_key.id is null then 'invalid_key'
            when v_key.revoked_at is not null then 'revoked_key'
            when v_key.expires_at <= clock_timestamp() then 'expired_key'
            when v_key.archived_at is not null then 'archived_project'
            when v_call.started_at not between clock_timestamp() - interval '60 s' and clock_timestamp() + interval '60 s' then 'clock_skew'
            when v_upstream is null then 'no_provider_key'
            else 'opened'
        end;
        if outcome = 'opened' and v_shared and v_call.objection is not null then
            if v_call.object_id is null or not app.made_object(
                v_key.org_id, case when v_key.own_id is null then 'install' else v_key.org_id::text end, v_call.object_id,
                case when v_key.own_id is null then p_install_fingerprint else v_key.fingerprint end, v_key.base_url) then
                outcome := v_call.objection;
            end if;
        end if;
        n := v_call.n;
        org_id := v_key.org_id;
        project_id := v_key.project_id;
        api_key_id := v_key.id;
        upstream := v_upstream;
        provider_key := v_key.ciphertext;
        provider_project_id := v_key.own_project;
        base_url := v_key.base_url;
        account := case when v_upstream <> 'openai' then v_upstream when v_key.ciphertext is not null then v_key.org_id::text
            when v_upstream = 'openai' then 'install' end;
        shared := case when outcome = 'opened' then v_shared end;
        provider_key_id := coalesce(v_call.provider_key_id, case when v_upstream = 'openai' then v_version end);
        metadata_tags := v_key.metadata_tags;
        return next;

        continue when outcome <> 'opened';
        v_call.org_id := v_key.org_id;
        v_call.project_id := v_key.project_id;
        v_call.api_key_id := v_key.id;
        v_call.upstream := v_upstream;
        v_call.provider_key_id := provider_key_id;
        if v_call.begins_session then
            v_begun := v_begun || v_call;
        elsif v_call.seen_as is null then
            v_opened := v_opened || v_call;
        elsif app.seen_first(v_key.org_id, v_call.seen_as, v_call.side, v_call.id, v_call.started_at) then
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
