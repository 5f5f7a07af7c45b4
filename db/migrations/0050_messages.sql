-- 0050_messages: types of what passes between the functions that open, price and settle calls
create type app.opening as (
    n integer, id uuid, started_at timestamptz, max_seconds integer, key_hash text, endpoint text, method text, model text,
    stream boolean, end_user text, tags jsonb, objection text, object_id text, session_id uuid, begins_session boolean,
    provider_key_id uuid, seen_as text, side boolean,
    org_id uuid, project_id uuid, api_key_id uuid, upstream text
);
comment on type app.opening is
    'What the gateway says of a call that begins, and, in the last four, whose it is, which only the key tells; see app.open_calls.';

create type app.priced_call as (cost numeric, cost_status text, cost_lines jsonb);
comment on type app.priced_call is 'What a call costs; see app.price_usage.';

create type app.token_counts as (
    tokens_in bigint, tokens_out bigint, tokens_cached bigint, tokens_cache_write bigint, tokens_reasoning bigint,
    tokens_audio_in bigint, tokens_audio_out bigint
);
comment on type app.token_counts is 'The token columns of usage_logs; see app.tokens_of.';

-- Their results get other types; the files of functions make them again.
-- squawk-ignore ban-drop-function
drop function if exists app.tokens_of(jsonb);
-- squawk-ignore ban-drop-function
drop function if exists app.price_calls(jsonb);
