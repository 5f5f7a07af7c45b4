-- settle_missing(calls, ids, first, last) → ids of the calls that had no row; now they have an open one, written from their messages
--
-- Locks the rows of the calls, in the order of their ids, so that two batches never wait for each other in a circle. No row is added
-- for a call that was never sent (it names no organization), whose organization is not here (removed, or in the database that the
-- spool belongs to), that another call books, or whose month was dropped: a month is dropped only when no call in it is open, so
-- such a call was settled before.
--
-- Part of settle_calls, whose settings hold here too. p_ids, p_first, p_last: of the calls; so the kept plan reads only their months.
create or replace function app.settle_missing(
    p_calls app.settlement[], p_ids uuid[], p_first timestamptz, p_last timestamptz
) returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
    v_found integer;
    v_added uuid[];
begin
    perform from public.usage_logs u join unnest(p_calls) c on u.id = c.id and u.started_at = c.started_at
        where u.id = any (p_ids) and u.started_at between p_first and p_last order by u.id for update of u;
    get diagnostics v_found = row_count;
    if v_found < cardinality(p_calls) then
        with added as (
            insert into public.usage_logs (id, org_id, project_id, api_key_id, started_at, deadline_at, state, upstream, endpoint,
                method, stream, batch, model_requested, end_user, tags, provider_key_id, session_id)
            select c.id, c.org_id, c.project_id, c.api_key_id, c.started_at, c.started_at + make_interval(secs => c.max_seconds),
                'open', c.upstream, c.endpoint, c.method, c.stream, c.batch, c.model_requested, c.end_user, coalesce(c.tags, '{}'),
                c.provider_key_id, c.session_id
            from unnest(p_calls) c join public.organizations o on o.id = c.org_id
            where c.outcome <> 'repeated' and not exists (
                select from private.dropped_months m where m.month = date_trunc('month', c.started_at at time zone 'utc')::date)
            order by c.id
            on conflict do nothing
            returning id
        )
        select array_agg(id) into v_added from added;
    end if;
    return coalesce(v_added, '{}');
end $$;

comment on function app.settle_missing is
    'Locks the rows of calls in order and adds those that are missing; part of settle_calls.';
-- No grant: part of settle_calls.
revoke execute on function app.settle_missing from public, anon, authenticated, service_role;
