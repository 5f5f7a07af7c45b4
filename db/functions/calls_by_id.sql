-- calls_by_id(id, limit) → the calls that have this id, the newest first
--
-- p_id: id of a call or its beginning, of at least 8 hexadecimal digits; or, complete, an id of OpenAI's: of an object
-- (chatcmpl-…, resp_…) or of a request (req_…). Several calls may have the same object: one made it, others asked for it.
--
-- The id of a call begins with the moment at which it arrived: 8 digits of it leave about a minute, which an index finds. Ids
-- of OpenAI's are only found whole.
create or replace function app.calls_by_id(p_id text, p_limit integer) returns setof public.calls
language plpgsql stable
set search_path = ''
set enable_seqscan = off  -- a plan made for an empty table must also suit a full one
as $$
declare
    v_hex text := replace(lower(p_id), '-', '');
    v_low uuid;  -- the first id with this beginning, and the last one
    v_high uuid;
begin
    if v_hex ~ '^[0-9a-f]{8,32}$' then
        v_low := rpad(v_hex, 32, '0');
        v_high := rpad(v_hex, 32, 'f');
    end if;
    return query
    with found as materialized (
        select x.* from (
            select u.id, u.started_at from public.usage_logs u
            where u.id between v_low and v_high
              and u.started_at between app.call_began(v_low) - interval '1 s' and app.call_began(v_high) + interval '1 s'
            union
            select u.id, u.started_at from public.usage_logs u where u.upstream_object_id = p_id
            union
            select u.id, u.started_at from public.usage_logs u where u.upstream_request_id = p_id
        ) x order by x.started_at desc, x.id desc limit p_limit
    )
    select c.* from found f
    cross join lateral (  -- offset 0: each row is looked up by itself, whatever the planner expects
        select v.* from public.calls v where v.id = f.id and v.started_at = f.started_at offset 0
    ) c
    order by f.started_at desc, f.id desc;
end $$;

comment on function app.calls_by_id is
    'Calls of the caller''s organization by the beginning of their id, or by OpenAI''s id of their object or request.';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.calls_by_id from public, anon, authenticated, service_role;
grant execute on function app.calls_by_id to authenticated;
