-- calls_open() → the calls still open, of the organization that asks: on their way, or in doubt
--
-- As a rule a few, wherever they are among all months. A function rather than a part of the views that want it, because its
-- plan is kept: planning over every month takes longer than all the rest of such a view. With the caller's own rights.
create or replace function app.calls_open()
returns table (
    org_id uuid, started_at timestamptz, deadline_at timestamptz, upstream text, project_id uuid, api_key_id uuid, model text,
    endpoint text, end_user text, tags jsonb
)
language plpgsql stable rows 10
set search_path = ''
set enable_seqscan = off  -- as in settle_calls: a plan made for an empty table must do for a full one
set plan_cache_mode = force_generic_plan
as $$
begin
    return query
    select u.org_id, u.started_at, u.deadline_at, u.upstream, u.project_id, u.api_key_id, coalesce(u.model, u.model_requested),
        u.endpoint, u.end_user, u.tags
    from public.usage_logs u where u.state = 'open';
end $$;

comment on function app.calls_open is 'Calls still open; part of the views that add up days.';
revoke execute on function app.calls_open from public, anon, authenticated, service_role;
grant execute on function app.calls_open to authenticated, spendai_analyst;
