-- 0037_seen_responses: which call has booked which response of a Realtime session, so that no other call books it again
--
-- Several connections to one Realtime call (?call_id=, or the main one and others) are told of the same responses.
create table private.seen_responses (
    org_id uuid not null,
    object_id text not null,
    side boolean not null,
    call_id uuid not null,
    started_at timestamptz not null,
    primary key (org_id, object_id)
);
create index on private.seen_responses (started_at);
alter table private.seen_responses enable row level security;
comment on table private.seen_responses is
    'Responses and transcripts of Realtime sessions on an organization''s own OpenAI key, and the call that books each; see app.settle_seen.';
comment on column private.seen_responses.object_id is 'OpenAI''s id of the response; of a transcript: of the item, a slash and the index of the content.';
comment on column private.seen_responses.side is 'Whether a side connection (?call_id=) saw it first.';
comment on column private.seen_responses.call_id is 'The call (usage_logs.id); its row may be missing.';
comment on column private.seen_responses.started_at is 'When that call was opened, UTC.';
