-- key_line(key id) → ids of all generations of a key, oldest first: the keys it replaced by rotation, itself, those that replaced it
create or replace function app.key_line(p_key_id uuid)
returns table (id uuid, generation integer)
language sql stable
set search_path = ''
as $$
    with recursive older as (
        select k.id, k.rotated_from, 0 as step from public.api_keys k where k.id = p_key_id
        union all
        select k.id, k.rotated_from, o.step - 1 from older o join public.api_keys k on k.id = o.rotated_from
    ), newer as (
        select o.id, o.step from older o where o.step = 0
        union all
        select k.id, n.step + 1 from newer n join public.api_keys k on k.rotated_from = n.id
    )
    select l.id, row_number() over (order by l.step)::integer
    from (select o.id, o.step from older o union select n.id, n.step from newer n) l
    order by l.step
$$;

comment on function app.key_line is 'All generations of one key: a rotation makes the next one.';
-- With the caller's own rights, so row level security decides.
revoke execute on function app.key_line from public, anon, authenticated, service_role;
grant execute on function app.key_line to authenticated;
