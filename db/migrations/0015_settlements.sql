-- 0015_settlements: a message of the gateway about the end of a call, as app.settle_calls reads it
create type app.settlement as (
    n integer, id uuid, started_at timestamptz, max_seconds integer, org_id uuid, project_id uuid, api_key_id uuid, upstream text,
    account text, endpoint text, method text, stream boolean, batch boolean, model_requested text, model text, service_tier text,
    usage jsonb, tools jsonb, outcome text, status_code integer, latency_ms integer, ttft_ms integer, upstream_request_id text,
    upstream_object_id text, makes boolean, end_user text, tags jsonb
);
comment on type app.settlement is 'What the gateway says of a call when it is over; see app.settle_calls.';
