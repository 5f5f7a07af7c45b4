-- open_calls(calls, install key, its fingerprint) → one row per call: whether it may go upstream, and with which OpenAI key
--
-- One statement checks the proxy key and writes the open row. So a revoked key is refused from the next call on, and every
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
as $$
#variable_conflict use_column
declare
    v_install uuid := (select v.id from public.provider_key_versions v
        where v.org_id is null and v.fingerprint = p_install_fingerprint order by v.since desc limit 1);
begin
    return query
    with call as materialized (
        select * from jsonb_to_recordset(p_calls) as c (
            n integer, id uuid, started_at timestamptz, max_seconds integer, key_hash text, endpoint text, method text,
            model text, stream boolean, end_user text, tags jsonb, objection text, object_id text,
            session_id uuid, begins_session boolean, provider_key_id uuid, seen_as text, side boolean)
    ), checked as materialized (
        select c.*, k.id as key_id, k.org_id, k.project_id, s.upstream, own.ciphertext, own.project_id as own_project, own.base_url,
            f.shared, p.metadata_tags,
            coalesce(c.provider_key_id,
                case when s.upstream = 'openai' then case when own.id is null then v_install else own.id end end) as version,
            case
                when k.id is null then 'invalid_key'
                when k.revoked_at is not null then 'revoked_key'
                when k.expires_at <= clock_timestamp() then 'expired_key'
                when p.archived_at is not null then 'archived_project'
                when c.started_at not between clock_timestamp() - interval '60 s' and clock_timestamp() + interval '60 s' then 'clock_skew'
                when s.upstream is null then 'no_provider_key'
                when f.shared and c.objection is not null and not (c.object_id is not null and app.made_object(
                    k.org_id, case when own.id is null then 'install' else k.org_id::text end, c.object_id,
                    case when own.id is null then p_install_fingerprint else own.fingerprint end, own.base_url)) then c.objection
                else 'opened'
            end as outcome
        from call c
        left join public.api_keys k on k.key_hash = decode(c.key_hash, 'hex')
        left join public.projects p on p.id = k.project_id
        left join public.organizations o on o.id = k.org_id
        left join lateral (
            select pk.id, pk.ciphertext, pk.project_id, pk.base_url, pk.fingerprint from private.provider_keys pk
            where pk.org_id = k.org_id and (pk.project_id = k.project_id or pk.project_id is null)
            order by pk.project_id nulls last limit 1
        ) own on not o.is_demo
        left join lateral (select exists (select from private.install i where i.first_org_id = k.org_id) as is_it) first on true
        left join lateral (
            select case
                when own.ciphertext is not null then 'openai'
                when o.is_demo then 'sandbox'
                when p_install_key = 'shared' then 'openai'
                when p_install_key = 'first' and first.is_it then 'openai'
                -- An organization whose books are real money never gets answers of the sandbox.
                when o.books = 'sandbox' then 'sandbox'
            end as upstream
        ) s on true
        left join lateral (
            select case
                when s.upstream is distinct from 'openai' then false
                when own.ciphertext is null and p_install_key = 'shared' then true
                when own.ciphertext is not null and own.fingerprint is null then true  -- others may use it too
                else exists (
                    select from private.provider_keys pk
                    where pk.fingerprint = coalesce(own.fingerprint, p_install_fingerprint) and pk.org_id <> k.org_id
                ) or own.fingerprint = p_install_fingerprint and not (p_install_key = 'first' and first.is_it)
            end as shared
        ) f on true
    ), opened as (
        insert into public.usage_logs (id, org_id, project_id, api_key_id, started_at, deadline_at, state, upstream,
                                       endpoint, method, stream, batch, model_requested, end_user, tags, provider_key_id, session_id)
        select c.id, c.org_id, c.project_id, c.key_id, c.started_at, c.started_at + make_interval(secs => c.max_seconds), 'open',
               c.upstream, c.endpoint, c.method, c.stream, false, c.model, c.end_user, c.tags, c.version, c.session_id
        from checked c where case when c.outcome <> 'opened' or c.begins_session then false when c.seen_as is null then true
            else app.seen_first(c.org_id, c.seen_as, c.side, c.id, c.started_at) end
        on conflict do nothing
    ), begun as (
        insert into public.websocket_sessions (id, org_id, project_id, api_key_id, started_at, deadline_at, upstream, endpoint,
                                               model_requested, tags, provider_key_id)
        select c.id, c.org_id, c.project_id, c.key_id, c.started_at, c.started_at + make_interval(secs => c.max_seconds),
               c.upstream, c.endpoint, c.model, c.tags, c.version
        from checked c where c.outcome = 'opened' and c.begins_session
        on conflict do nothing
    )
    select c.n, c.outcome, c.org_id, c.project_id, c.key_id, c.upstream, c.ciphertext, c.own_project, c.base_url,
           case when c.upstream <> 'openai' then c.upstream when c.ciphertext is not null then c.org_id::text
                when c.upstream = 'openai' then 'install' end,
           case when c.outcome = 'opened' then coalesce(c.shared, false) end,
           c.version, c.metadata_tags
    from checked c;
end $$;

comment on function app.open_calls is
    'Checks proxy keys and writes the open rows of a batch of calls; one row back per call.';
revoke execute on function app.open_calls from public, anon, authenticated, service_role;
grant execute on function app.open_calls to spendai_proxy;
