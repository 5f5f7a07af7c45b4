-- seen_first(organization, object, side, call, started at) → whether a call that reports an object is the one that books it
--
-- Remembers the first call that reports an object of a Realtime session. A later call books the object too unless one of the two
-- belongs to a side connection: two main connections are never told of the same object. See settle_seen.
create or replace function app.seen_first(
    p_org_id uuid, p_object_id text, p_side boolean, p_call_id uuid, p_started_at timestamptz
) returns boolean
language plpgsql
set search_path = ''
as $$
begin
    insert into private.seen_responses (org_id, object_id, side, call_id, started_at)
    values (p_org_id, p_object_id, p_side, p_call_id, p_started_at)
    on conflict do nothing;
    return exists (
        select from private.seen_responses s
        where s.org_id = p_org_id and s.object_id = p_object_id and (s.call_id = p_call_id or not s.side and not p_side));
end $$;

comment on function app.seen_first is
    'Whether a call books a response that several connections to a Realtime session may report. Part of open_calls.';
-- No grant: part of open_calls.
revoke execute on function app.seen_first from public, anon, authenticated, service_role;
