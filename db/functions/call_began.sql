-- call_began(call id) → when the call arrived, to the millisecond
--
-- The id of a call is a UUIDv7: its first 48 bits are milliseconds since 1970. So the id alone says which month of usage_logs
-- holds the call: look for a started_at within a second of this moment. Of any other id the moment means nothing.
create or replace function app.call_began(p_call_id uuid) returns timestamptz
language sql immutable
set search_path = ''
as $$
    select to_timestamp(('x' || left(replace(p_call_id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
$$;

comment on function app.call_began is 'When a call arrived, read from its id: look for its row near this started_at.';
revoke execute on function app.call_began from public, anon, authenticated, service_role;
grant execute on function app.call_began to authenticated;
