-- 0034_websocket_sessions: sessions over WebSocket, and which session a call was made in
--
-- A session may last for an hour and make any number of calls, also none: it has a row of its own, so that it is seen anyway.
-- Like usage_logs it has no foreign keys: organization, project and key come from the key's row in the statement that opens it.
create table public.websocket_sessions (
    id uuid primary key,
    org_id uuid not null,
    project_id uuid not null,
    api_key_id uuid not null,
    upstream text not null check (upstream in ('openai', 'sandbox')),
    provider_key_id uuid,
    endpoint text not null,
    model_requested text,
    tags jsonb not null default '{}',
    started_at timestamptz not null,
    deadline_at timestamptz not null,
    model text,
    upstream_session_id text,
    ended_at timestamptz,
    close_code integer,
    closed_by text check (closed_by in ('client', 'openai', 'spendai')),
    constraint ends_once check ((ended_at is null) = (closed_by is null))
);
create index on public.websocket_sessions (org_id, started_at desc, id desc);
alter table public.websocket_sessions enable row level security;  -- who reads it: policies/websocket_sessions.sql
comment on table public.websocket_sessions is
    'Sessions over WebSocket (Responses, Realtime, Live): one row each. Read the view sessions, which adds up the calls.';
comment on column public.websocket_sessions.id is 'Id of the session; the answer to its upgrade carries it in x-spendai-session-id.';
comment on column public.websocket_sessions.org_id is 'The organization.';
comment on column public.websocket_sessions.project_id is 'Project of the proxy key.';
comment on column public.websocket_sessions.api_key_id is 'Proxy key that opened it.';
comment on column public.websocket_sessions.upstream is 'openai or sandbox: the books.';
comment on column public.websocket_sessions.provider_key_id is 'Version of the provider key it was opened with (provider_key_versions.id).';
comment on column public.websocket_sessions.endpoint is 'OpenAI''s path.';
comment on column public.websocket_sessions.model_requested is 'Model asked for in the address; null where each response names its own.';
comment on column public.websocket_sessions.tags is 'Tags of the header x-spendai-tags; all of its calls have them.';
comment on column public.websocket_sessions.started_at is 'When it was opened, UTC.';
comment on column public.websocket_sessions.deadline_at is 'When a gateway ends it at the latest. Without an end after that, the gateway was killed.';
comment on column public.websocket_sessions.model is 'Model of the session, as OpenAI named it.';
comment on column public.websocket_sessions.upstream_session_id is 'Id of the session at OpenAI.';
comment on column public.websocket_sessions.ended_at is 'When it ended, UTC.';
comment on column public.websocket_sessions.close_code is
    'WebSocket close code, 1006 for a connection that broke; below 1000: the HTTP status with which OpenAI refused the upgrade.';
comment on column public.websocket_sessions.closed_by is 'Who ended it: client, openai or spendai.';

alter table public.usage_logs add column session_id uuid;
comment on column public.usage_logs.session_id is 'Session over WebSocket that it was made in (websocket_sessions.id); null: a request over HTTP.';
-- Only calls in a session are in it, so that all others pay nothing for it.
-- squawk-ignore require-concurrent-index-creation -- no row has a session yet
create index on public.usage_logs (org_id, session_id, started_at) where session_id is not null;

alter type app.settlement add attribute session_id uuid;
