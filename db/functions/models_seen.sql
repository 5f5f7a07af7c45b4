-- models_seen(from, to) → the models that were called in a period, for a list to choose from
--
-- Asks usage_logs itself: app.usage would add up everything to say no more than this.
create or replace function app.models_seen(p_from timestamptz, p_to timestamptz) returns table (model text)
language sql stable
set search_path = ''
as $$
    select distinct coalesce(u.model, u.model_requested)
    from public.usage_logs u
    where u.org_id = (select app.current_org_id())
      and u.upstream = (select o.books from public.organizations o where o.id = (select app.current_org_id()))
      and u.started_at >= p_from and u.started_at < p_to
      and coalesce(u.model, u.model_requested) <> ''
    order by 1
$$;

comment on function app.models_seen is 'Models the organization called in a period, by name.';
revoke execute on function app.models_seen from public, anon, authenticated, service_role;
grant execute on function app.models_seen to authenticated;
