-- status_unpriced(outcome, method, endpoint) → cost status of a call that is not priced by its usage; null for one that is
--
-- p_outcome: how the call ended, as the gateway reports it: complete, pending, error or no_usage; repeated:
-- another call books it (see settle_seen). Reading, changing or
-- stopping an object is free, because the call that made it was billed. Moderations, counting input tokens, uploading
-- files, and making assistants, threads and conversations are free too. Evals, fine-tuning, vector stores and the like are
-- billed by OpenAI by other measures than the call, so such a call has no usage.
--
-- The column `metered` of webapp/gateway/endpoints.tsv states the result for each operation, for the documentation; a
-- test holds the two equal.
create or replace function app.status_unpriced(p_outcome text, p_method text, p_endpoint text) returns text
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
    return case
        when p_outcome = 'error' then 'error'
        when p_outcome = 'repeated' then 'free'
        when p_method in ('GET', 'HEAD', 'DELETE') or p_endpoint like '%}'
            or p_endpoint like any (array['%}/cancel', '%}/pause', '%}/resume'])
            or p_endpoint in ('/v1/moderations', '/v1/responses/input_tokens', '/v1/assistants', '/v1/threads',
                              '/v1/threads/{thread_id}/messages', '/v1/conversations', '/v1/conversations/{conversation_id}/items',
                              '/v1/files', '/v1/uploads', '/v1/uploads/{upload_id}/parts', '/v1/uploads/{upload_id}/complete',
                              '/v1/containers/{container_id}/files') then 'free'
        when p_outcome = 'no_usage' then 'no_usage'
        when p_outcome = 'pending' then 'pending_object'
        -- A list, because matching one pattern for all of them takes a hundred times as long.
        when p_endpoint not in ('/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/responses/compact', '/v1/embeddings',
                '/v1/decisions', '/v1/containers', '/v1/realtime', '/v1/realtime/translations', '/v1/live/sessions',
                '/v1/audio/speech', '/v1/audio/transcriptions', '/v1/audio/translations', '/v1/batches', '/v1/videos',
                '/v1/videos/edits', '/v1/videos/extensions', '/v1/videos/{video_id}/remix')
            and p_endpoint !~ '^/v1/images/[a-z]+$' then 'no_usage'
    end;
end $$;

comment on function app.status_unpriced is
    'Cost status of a call that is not priced by its usage: error, no_usage, free or pending_object; null for all others.';
-- No grant: part of settle_calls, settle_alone and settle_closed.
revoke execute on function app.status_unpriced from public, anon, authenticated, service_role;
