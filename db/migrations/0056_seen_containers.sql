-- 0056_seen_containers: private.seen_responses remembers containers, too, so that a session is billed to one of the calls that ran in it
comment on table private.seen_responses is
    'Responses and transcripts of Realtime sessions, and containers, and the call that books each; see app.settle_seen, app.settle_containers.';
comment on column private.seen_responses.object_id is
    'OpenAI''s id of the response or container; of a transcript: of the item, a slash and the index of the content.';
comment on column private.seen_responses.side is 'Whether a side connection (?call_id=) saw it first; false for a container.';
comment on column private.seen_responses.call_id is
    'The call (usage_logs.id) that books it, for a container its session; its row may be missing.';
comment on column private.upstream_objects.request is
    'What the call that made the object asked for: completion_window and region; of the output file of a batch {"output_file": true}.';
comment on column private.seen_responses.started_at is 'When that call was opened, UTC.';
