-- sessions: every session over WebSocket of the reader's organization, with what its calls cost
--
-- Only sessions of the organization's books, as in calls. The subqueries run only for queries that select their columns.
create or replace view public.sessions with (security_invoker = true) as
select
    s.id,
    s.started_at,
    s.ended_at,
    case when s.ended_at is not null then 'ended' when s.deadline_at < now() then 'lost' else 'open' end as state,
    s.org_id,
    s.project_id,
    p.name as project,
    s.api_key_id,
    k.name as key,
    k.prefix as key_prefix,
    s.endpoint,
    s.model_requested,
    s.model,
    s.close_code,
    s.closed_by,
    s.upstream,
    s.upstream_session_id,
    s.provider_key_id,
    s.tags,
    (select count(*) from public.usage_logs u
     where u.org_id = s.org_id and u.session_id = s.id and u.started_at >= s.started_at) as calls,
    (select count(*) from public.usage_logs u
     where u.org_id = s.org_id and u.session_id = s.id and u.started_at >= s.started_at
       and u.cost is null) as unpriced_calls,
    (select sum(u.cost) from public.usage_logs u
     where u.org_id = s.org_id and u.session_id = s.id and u.started_at >= s.started_at) as cost
from public.websocket_sessions s
join public.organizations o on o.id = s.org_id and o.books = s.upstream
left join public.projects p on p.id = s.project_id
left join public.api_keys k on k.id = s.api_key_id;

comment on view public.sessions is
    'Sessions over WebSocket (Responses, Realtime, Live), one row each; their calls are the rows of calls with its id as session_id.';
comment on column public.sessions.id is 'Id of the session; the answer to its upgrade carries it in x-spendai-session-id.';
comment on column public.sessions.started_at is 'When it was opened, UTC.';
comment on column public.sessions.ended_at is 'When it ended, UTC.';
comment on column public.sessions.state is 'open, ended, or lost: the gateway was killed before it could note the end.';
comment on column public.sessions.org_id is 'The organization.';
comment on column public.sessions.project_id is 'Project of the proxy key.';
comment on column public.sessions.project is 'Name of the project.';
comment on column public.sessions.api_key_id is 'Proxy key that opened it.';
comment on column public.sessions.key is 'Name of the proxy key.';
comment on column public.sessions.key_prefix is 'Beginning of the proxy key.';
comment on column public.sessions.endpoint is 'OpenAI''s path.';
comment on column public.sessions.model_requested is 'Model asked for in the address; null where each response names its own.';
comment on column public.sessions.model is 'Model of the session, as OpenAI named it.';
comment on column public.sessions.close_code is
    'WebSocket close code, 1006 for a connection that broke; below 1000: the HTTP status with which it was refused.';
comment on column public.sessions.closed_by is 'Who ended it: client, openai or spendai.';
comment on column public.sessions.upstream is 'openai or sandbox: the books.';
comment on column public.sessions.upstream_session_id is 'Id of the session at OpenAI.';
comment on column public.sessions.provider_key_id is 'Version of the provider key it was opened with: provider_key_versions.id.';
comment on column public.sessions.tags is 'Tags the client sent; all of its calls have them.';
comment on column public.sessions.calls is 'Calls made in it: responses, transcriptions, or the seconds of a Live session.';
comment on column public.sessions.unpriced_calls is 'How many of them are open or have no known cost.';
comment on column public.sessions.cost is 'US dollars of the calls whose cost is known; null: none is. Without corrections.';
revoke all on public.sessions from public, anon, authenticated, service_role;
grant select on public.sessions to authenticated, spendai_analyst;
