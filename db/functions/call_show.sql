-- call_show(call id) → one call, or no row
--
-- The period around the moment in the id makes Postgres read one month of usage_logs instead of all.
create or replace function app.call_show(p_id uuid) returns setof public.calls
language sql stable
set search_path = ''
as $$
    select c.* from public.calls c
    where c.id = p_id
      and c.started_at between app.call_began(p_id) - interval '1 s' and app.call_began(p_id) + interval '1 s'
$$;

comment on function app.call_show is 'One call of the caller''s organization by its id.';
revoke execute on function app.call_show from public, anon, authenticated, service_role;
grant execute on function app.call_show to authenticated;
