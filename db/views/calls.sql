-- calls: every call of the reader's organization, with the names of its project and key
--
-- Only calls of the organization's books, as everywhere: sandbox calls are hidden once real money is spent.
create or replace view public.calls with (security_invoker = true) as
select
    u.id,
    u.started_at,
    u.settled_at,
    case when u.state = 'open' and u.deadline_at < now() then 'in_doubt' else u.state end as state,
    u.org_id,
    u.project_id,
    p.name as project,
    u.api_key_id,
    k.name as key,
    k.prefix as key_prefix,
    u.endpoint,
    u.method,
    u.status_code,
    u.stream,
    u.batch,
    u.model_requested,
    u.model,
    u.service_tier,
    u.tokens_in,
    u.tokens_cached,
    u.tokens_cache_write,
    u.tokens_out,
    u.tokens_reasoning,
    u.tokens_audio_in,
    u.tokens_audio_out,
    u.cost,
    u.cost_status,
    u.cost_lines,
    u.usage,
    u.tools,
    u.latency_ms,
    u.ttft_ms,
    u.upstream,
    u.upstream_request_id,
    u.upstream_object_id,
    u.end_user,
    u.tags,
    -- A subquery instead of a join: it runs only for queries that select the column.
    coalesce((select sum(a.delta) from public.cost_adjustments a
              where a.call_id = u.id and a.call_started_at = u.started_at), 0) as adjustments,
    u.cost + coalesce((select sum(a.delta) from public.cost_adjustments a
                       where a.call_id = u.id and a.call_started_at = u.started_at), 0) as cost_corrected,
    u.provider_key_id,
    v.last4 as provider_key_last4,
    v.since as provider_key_since,
    u.openai_project,
    u.region,
    u.session_id,
    u.warning,
    case when u.cost is null then (select nullif(sum((l ->> 'at_least')::numeric), 0)
                                   from jsonb_array_elements(u.cost_lines) l) end as cost_at_least
from public.usage_logs u
join public.organizations o on o.id = u.org_id and o.books = u.upstream
left join public.projects p on p.id = u.project_id
left join public.api_keys k on k.id = u.api_key_id
left join public.provider_key_versions v on v.id = u.provider_key_id;

comment on view public.calls is
    'Every call, one row each. Filter on started_at with a time zone, so that the index is used.';
comment on column public.calls.id is 'Id of the call; also the answer''s x-spendai-call-id header.';
comment on column public.calls.started_at is 'When it arrived, UTC.';
comment on column public.calls.settled_at is 'When it was settled, UTC.';
comment on column public.calls.state is 'open, settled, or in_doubt: still open after its deadline.';
comment on column public.calls.org_id is 'The organization.';
comment on column public.calls.project_id is 'Project of the call.';
comment on column public.calls.project is 'Name of the project.';
comment on column public.calls.api_key_id is 'Proxy key of the call.';
comment on column public.calls.key is 'Name of the proxy key.';
comment on column public.calls.key_prefix is 'Beginning of the proxy key.';
comment on column public.calls.endpoint is 'OpenAI''s path.';
comment on column public.calls.method is 'HTTP method; WEBSOCKET for a response in a session.';
comment on column public.calls.status_code is 'HTTP status the client got; 499: the client hung up.';
comment on column public.calls.stream is 'Whether the answer was streamed.';
comment on column public.calls.batch is 'Whether the batch price applies.';
comment on column public.calls.model_requested is 'Model asked for.';
comment on column public.calls.model is 'Model that served the call, as OpenAI named it.';
comment on column public.calls.service_tier is 'Tier that served the call.';
comment on column public.calls.tokens_in is 'Input tokens, cached ones included.';
comment on column public.calls.tokens_cached is 'Part of tokens_in read from the prompt cache.';
comment on column public.calls.tokens_cache_write is 'Part of tokens_in written to the prompt cache.';
comment on column public.calls.tokens_out is 'Output tokens, reasoning included.';
comment on column public.calls.tokens_reasoning is 'Part of tokens_out spent on reasoning.';
comment on column public.calls.tokens_audio_in is 'Part of tokens_in that is audio.';
comment on column public.calls.tokens_audio_out is 'Part of tokens_out that is audio.';
comment on column public.calls.cost is 'US dollars; null when not known. Never changed once known: see adjustments.';
comment on column public.calls.cost_status is 'Why the cost is what it is, or why it is not known.';
comment on column public.calls.cost_lines is 'The lines of the cost: dimension, quantity, unit price and price row.';
comment on column public.calls.usage is 'OpenAI''s usage object: numbers and short words only.';
comment on column public.calls.tools is 'Billable tool calls, by dimension.';
comment on column public.calls.latency_ms is 'Milliseconds to the end of the answer.';
comment on column public.calls.ttft_ms is 'Milliseconds to the first byte of the answer.';
comment on column public.calls.upstream is 'openai or sandbox: the books.';
comment on column public.calls.upstream_request_id is 'OpenAI''s x-request-id.';
comment on column public.calls.upstream_object_id is 'Id of the object OpenAI answered with.';
comment on column public.calls.end_user is 'safety_identifier or user of the request.';
comment on column public.calls.tags is 'Tags: the client''s x-spendai-tags, and metadata of the request where the project wants that.';
comment on column public.calls.adjustments is 'US dollars of all corrections of the cost; see cost_adjustments.';
comment on column public.calls.cost_corrected is
    'US dollars: cost with all corrections; null when the cost is not known.';
comment on column public.calls.provider_key_id is
    'Version of the provider key it was sent with: provider_key_versions.id. Null: sandbox, or recorded before versions were.';
comment on column public.calls.provider_key_last4 is 'Last four characters of that key.';
comment on column public.calls.provider_key_since is 'When that key was stored, UTC.';
comment on column public.calls.openai_project is 'OpenAI''s project, as the answer named it.';
comment on column public.calls.region is 'Region of OpenAI''s API it was sent to, such as eu; null: none.';
comment on column public.calls.session_id is 'Session over WebSocket it was made in: sessions.id; null: a request over HTTP.';
comment on column public.calls.warning is 'What of the client''s tags was left out or shortened, and why. Null: nothing.';
comment on column public.calls.cost_at_least is
    'US dollars that it cost at least, where cost is not known but a part of what OpenAI bills is; in no sum. Else null.';
revoke all on public.calls from public, anon, authenticated, service_role;
grant select on public.calls to authenticated, spendai_analyst;
