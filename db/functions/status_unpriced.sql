-- status_unpriced(outcome, method, endpoint) → status of a call that no price is looked up for, or null when one is
--
-- The gateway says how the call ended. Reading something, changing or stopping it is not paid again: it was paid for when it
-- was made. What OpenAI bills by other measures than the call (runs, evals, fine-tuning, storage) has no usage here.
create or replace function app.status_unpriced(p_outcome text, p_method text, p_endpoint text) returns text
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
    return case
        when p_outcome = 'error' then 'error'
        when p_method in ('GET', 'HEAD', 'DELETE') or p_endpoint like '%}'
            or p_endpoint like any (array['%}/cancel', '%}/pause', '%}/resume'])
            or p_endpoint in ('/v1/moderations', '/v1/responses/input_tokens', '/v1/assistants', '/v1/threads',
                              '/v1/threads/{thread_id}/messages', '/v1/conversations', '/v1/conversations/{conversation_id}/items') then 'free'
        when p_outcome = 'no_usage' then 'no_usage'
        when p_outcome = 'pending' then 'pending_object'
        -- A list: one pattern for all of it takes a hundred times as long.
        when p_endpoint not in ('/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/responses/compact', '/v1/embeddings',
                '/v1/audio/speech', '/v1/audio/transcriptions', '/v1/audio/translations', '/v1/batches', '/v1/videos',
                '/v1/videos/edits', '/v1/videos/extensions', '/v1/videos/{video_id}/remix')
            and p_endpoint !~ '^/v1/images/[a-z]+$' then 'no_usage'
    end;
end $$;

comment on function app.status_unpriced is 'Cost status of a call that is not priced by its usage: error, no_usage, free or pending_object; else null.';
-- No grant: part of settle_calls.
revoke execute on function app.status_unpriced from public, anon, authenticated, service_role;
