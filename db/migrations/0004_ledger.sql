-- 0004_ledger: usage_logs, one row per call, and what may be added to it afterwards
--
-- No foreign keys on purpose: organization, project and key come from the key's row in the statement that opens the call,
-- none of them is ever deleted, and a foreign key would lock rows that every other call needs too.
create table public.usage_logs (
    id uuid not null,
    org_id uuid not null,
    project_id uuid not null,
    api_key_id uuid not null,
    started_at timestamptz not null,
    deadline_at timestamptz not null,
    settled_at timestamptz,
    state text not null check (state in ('open', 'settled')),
    upstream text not null check (upstream in ('openai', 'sandbox')),
    endpoint text not null,
    method text not null,
    stream boolean not null,
    batch boolean not null,
    status_code integer,
    latency_ms integer,
    ttft_ms integer,
    model_requested text,
    model text,
    service_tier text,
    tokens_in bigint,
    tokens_out bigint,
    tokens_cached bigint,
    tokens_cache_write bigint,
    tokens_reasoning bigint,
    tokens_audio_in bigint,
    tokens_audio_out bigint,
    cost numeric(20, 12),
    cost_status text check (cost_status in ('priced', 'free', 'tier_fallback', 'unpriced_model', 'unpriced_dimension',
                                            'no_usage', 'pending_object', 'error')),
    usage jsonb,
    tools jsonb,
    cost_lines jsonb,
    upstream_request_id text,
    upstream_object_id text,
    end_user text,
    tags jsonb not null,
    primary key (id, started_at),
    check (state = 'open' or (settled_at is not null and cost_status is not null)),
    check ((cost is not null) = (coalesce(cost_status, '') in ('priced', 'free', 'tier_fallback', 'error')))
) partition by range (started_at);

create index usage_logs_org_time on public.usage_logs (org_id, started_at desc, id desc);
create index usage_logs_key_time on public.usage_logs (api_key_id, started_at desc);
create index usage_logs_open on public.usage_logs (org_id, started_at) where state = 'open';
create index usage_logs_unpriced on public.usage_logs (org_id, started_at)
    where cost_status in ('unpriced_model', 'unpriced_dimension');

comment on table public.usage_logs is 'Every call through the proxy, one row each: opened before it goes upstream, settled before its answer ends.';
comment on column public.usage_logs.id is 'UUIDv7 made by the gateway; also the answer''s x-spendai-call-id header.';
comment on column public.usage_logs.started_at is 'When the call arrived, UTC; the same moment as inside the id.';
comment on column public.usage_logs.deadline_at is 'A row still open after this moment is in doubt.';
comment on column public.usage_logs.state is 'open: sent or about to be sent upstream. settled: the answer is known, the cost is final.';
comment on column public.usage_logs.upstream is 'openai: real money. sandbox: a made-up answer, play money.';
comment on column public.usage_logs.model is 'Model that served the call, as OpenAI named it.';
comment on column public.usage_logs.service_tier is 'Tier that served the call (the answer''s, not the request''s).';
comment on column public.usage_logs.tokens_in is 'All input tokens, cached ones included.';
comment on column public.usage_logs.tokens_out is 'All output tokens, reasoning included.';
comment on column public.usage_logs.tokens_cached is 'Part of tokens_in read from OpenAI''s prompt cache.';
comment on column public.usage_logs.tokens_cache_write is 'Part of tokens_in written to OpenAI''s prompt cache.';
comment on column public.usage_logs.tokens_reasoning is 'Part of tokens_out spent on reasoning.';
comment on column public.usage_logs.cost is 'US dollars; null when not known, never 0 for that.';
comment on column public.usage_logs.cost_status is 'priced, free, tier_fallback (no price for the tier: standard price), unpriced_model, unpriced_dimension, no_usage, pending_object, error.';
comment on column public.usage_logs.usage is 'OpenAI''s usage object as it came, numbers and short words only.';
comment on column public.usage_logs.tools is 'Billable tool calls by dimension.';
comment on column public.usage_logs.cost_lines is 'How the cost came about: dimension, quantity, unit price and price row of each line.';
comment on column public.usage_logs.latency_ms is 'Milliseconds from arrival to the end of the answer.';
comment on column public.usage_logs.ttft_ms is 'Milliseconds from arrival to the first byte of the answer.';
comment on column public.usage_logs.upstream_request_id is 'OpenAI''s x-request-id.';
comment on column public.usage_logs.upstream_object_id is 'Id of the object OpenAI answered with.';
comment on column public.usage_logs.end_user is 'safety_identifier or user of the request.';
comment on column public.usage_logs.tags is 'Words the client sent in x-spendai-tags.';

create function private.guard_usage_log() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if tg_op = 'UPDATE'
       and (new.id, new.started_at, new.org_id, new.project_id, new.api_key_id, new.deadline_at, new.upstream, new.endpoint, new.method, new.end_user, new.tags)
           is not distinct from
           (old.id, old.started_at, old.org_id, old.project_id, old.api_key_id, old.deadline_at, old.upstream, old.endpoint, old.method, old.end_user, old.tags)
    then
        if old.state = 'open' and new.state = 'settled' then
            return new;
        end if;
        -- A cost that was not known may become known, once; nothing else of a settled row moves.
        if old.state = 'settled' and new.state = 'settled' and old.cost is null
           and (new.settled_at, new.status_code, new.latency_ms, new.ttft_ms, new.stream, new.batch, new.model_requested,
                new.upstream_request_id, new.upstream_object_id)
               is not distinct from
               (old.settled_at, old.status_code, old.latency_ms, old.ttft_ms, old.stream, old.batch, old.model_requested,
                old.upstream_request_id, old.upstream_object_id)
        then
            return new;
        end if;
    end if;
    raise sqlstate 'PT405' using message = 'a settled call cannot be changed or deleted', detail = 'append_only';
end $$;
comment on function private.guard_usage_log() is 'Trigger: a call is settled once, a missing cost is filled once, nothing else changes, for any role.';
create trigger guard before update or delete on public.usage_logs
    for each row execute function private.guard_usage_log();
create trigger guard_truncate before truncate on public.usage_logs
    for each statement execute function private.refuse_change();

create table public.cost_fills (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (id),
    call_id uuid not null,
    call_started_at timestamptz not null,
    old_status text not null,
    new_status text not null,
    cost numeric(20, 12),
    reason text not null,
    filled_by uuid,
    at timestamptz not null default now()
);
create index on public.cost_fills (org_id, at);
create unique index on public.cost_fills (call_id, call_started_at);
comment on table public.cost_fills is 'Calls whose missing cost became known later, and why.';
comment on column public.cost_fills.cost is 'US dollars the call got; null when all that became known is that there is no usage.';

create table public.cost_adjustments (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (id),
    call_id uuid not null,
    call_started_at timestamptz not null,
    delta numeric(20, 12) not null,
    reason text not null,
    details jsonb not null default '{}',
    created_by uuid,
    at timestamptz not null default now()
);
create index on public.cost_adjustments (org_id, at);
create index on public.cost_adjustments (call_id, call_started_at);
comment on table public.cost_adjustments is 'Corrections of settled costs: the call keeps its number, the difference stands here.';
comment on column public.cost_adjustments.delta is 'US dollars to add to the call''s cost; negative when it was too high.';

create trigger append_only before update or delete on public.cost_fills for each row execute function private.refuse_change();
create trigger append_only_truncate before truncate on public.cost_fills for each statement execute function private.refuse_change();
create trigger append_only before update or delete on public.cost_adjustments for each row execute function private.refuse_change();
create trigger append_only_truncate before truncate on public.cost_adjustments for each statement execute function private.refuse_change();

create table private.upstream_objects (
    upstream_account text not null,
    object_id text not null,
    org_id uuid not null,
    project_id uuid not null,
    call_id uuid not null,
    started_at timestamptz not null,
    priced_at timestamptz,
    primary key (upstream_account, object_id)
);
alter table private.upstream_objects enable row level security;
comment on table private.upstream_objects is 'OpenAI objects that outlive a call, and the call that made each: billed once, by id.';
