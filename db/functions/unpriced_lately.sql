-- unpriced_lately(at) → models without a price that were called in the seven days before, the last called first
--
-- For an organization its own models; for the operator, whom no policy limits, those of all organizations.
create or replace function app.unpriced_lately(p_at timestamptz) returns table (model text, calls bigint, last_call timestamptz)
language sql stable
set search_path = ''
as $$
    select u.model, sum(u.calls)::bigint, max(u.last_call)
    from public.unpriced_models u
    where u.last_call > p_at - interval '7 days' and u.model is not null
    group by u.model
    order by max(u.last_call) desc, u.model
$$;

comment on function app.unpriced_lately is 'Models without a price that were called in the last seven days; calls: all their calls.';
revoke execute on function app.unpriced_lately from public, anon, authenticated, service_role;
grant execute on function app.unpriced_lately to authenticated;
