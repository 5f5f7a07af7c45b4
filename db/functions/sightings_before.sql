-- sightings_before(calls) → the same messages, and what earlier calls saw of objects that these calls made
--
-- A settle message may wait in the spool while its client looks at the object already. A call that looked then could fill
-- nothing: no call was known to have made the object. Its row keeps what it saw, which is found here by the object's id.
--
-- Not found are objects that were only seen in a list, because the row of such a call does not keep what it saw of each, and
-- objects that ran in a container: whose session that was depends on the container's name (see settle_containers), which no row
-- keeps. Their cost stays pending until they are looked at again.
--
-- Only objects are looked for that these calls themselves made. Of one that another call made, each call that looked could fill the
-- cost; and a server that gives each background response the same id would have all its earlier calls read here, for each new one.
--
-- p_calls: as for settle_calls. Part of fill_objects, for calls that made an unfinished object; it passes over the added messages
-- of calls that look at nothing.
create or replace function app.sightings_before(p_calls jsonb) returns jsonb
language plpgsql stable  -- its plan is kept; planning for every month takes ten times as long as running
set search_path = ''
as $$
begin
    return p_calls || coalesce((
        select jsonb_agg(jsonb_build_object('org_id', c.org_id, 'account', c.account, 'outcome', 'complete', 'method', u.method,
            'endpoint', u.endpoint, 'model', u.model, 'service_tier', u.service_tier, 'usage', u.usage, 'tools', u.tools,
            'upstream_object_id', u.upstream_object_id))
        from jsonb_to_recordset(p_calls) as c (id uuid, org_id uuid, started_at timestamptz, account text, method text, endpoint text,
                                               outcome text, upstream_object_id text)
        join private.upstream_objects o on o.upstream_account = c.account and o.object_id = c.upstream_object_id
            and o.call_id = c.id and o.priced_at is null
        -- The time only limits the months that are read: a gateway's clock may differ from another's by two minutes.
        join public.usage_logs u on u.upstream_object_id = c.upstream_object_id
            and u.started_at >= c.started_at - interval '2 minutes'
        join public.provider_key_versions v on v.id = u.provider_key_id
        where c.outcome = 'pending' and not app.is_sighting(c.method, c.endpoint)
          -- Not `=`: the index that begins with the organization would be read, and has all its calls since then.
          and u.org_id is not distinct from c.org_id and coalesce(v.org_id::text, 'install') = c.account
          -- Of an unfinished object the row has at most what the request tells.
          and (u.tools is not null or u.usage - array['region', 'completion_window'] <> '{}')
          and coalesce(u.tools::text, '') not like '%container_sessions%'), '[]');
end $$;

comment on function app.sightings_before is
    'Adds what earlier calls saw of objects that are remembered only now. Part of fill_objects.';
-- No grant: part of fill_objects.
revoke execute on function app.sightings_before from public, anon, authenticated, service_role;
