-- calls_open() → the open calls of the caller's organization: still running, or in doubt
--
-- Usually few. A function instead of a part of the views that use it, because Postgres keeps the plan of a function: planning
-- over every month of usage_logs takes longer than everything else in such a view. With the caller's own rights.
create or replace function app.calls_open()
returns table (
    org_id uuid, started_at timestamptz, deadline_at timestamptz, upstream text, project_id uuid, api_key_id uuid, model text,
    endpoint text, end_user text, tags jsonb
)
language plpgsql stable rows 10
set search_path = ''
set enable_seqscan = off  -- as in settle_calls: a plan made for an empty table must also suit a full one
set plan_cache_mode = force_generic_plan
as $$
begin
    return query
    select u.org_id, u.started_at, u.deadline_at, u.upstream, u.project_id, u.api_key_id, coalesce(u.model, u.model_requested),
        u.endpoint, u.end_user, u.tags
    from public.usage_logs u where u.state = 'open';
end $$;

comment on function app.calls_open is
    'Open calls of the caller''s organization; part of daily_entries and daily_label_entries.';
revoke execute on function app.calls_open from public, anon, authenticated, service_role;
grant execute on function app.calls_open to authenticated, spendai_analyst;
