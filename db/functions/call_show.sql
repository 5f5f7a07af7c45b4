-- call_show(id) → one call, or no row
--
-- The id is a UUIDv7: its first 48 bits are the millisecond the call started in, which names the one partition to look into.
create or replace function app.call_show(p_id uuid) returns setof public.calls
language sql stable
set search_path = ''
as $$
    with began as (
        select to_timestamp((('x' || left(translate(p_id::text, '-', ''), 12))::bit(48)::bigint) / 1000.0) as at
    )
    select c.* from began b, public.calls c
    where c.id = p_id and c.started_at >= b.at - interval '1 s' and c.started_at < b.at + interval '1 s'
$$;

comment on function app.call_show is 'One call of the caller''s organization by its id.';
revoke execute on function app.call_show from public, anon, authenticated, service_role;
grant execute on function app.call_show to authenticated;
