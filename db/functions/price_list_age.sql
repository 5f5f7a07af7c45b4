-- price_list_age(at) → from when the price list is, and whether it is time to compare it with its sources again
--
-- as_of, sources: of the shipped list, when it was compared with which sources. synced_at, sync_sources, agreed, compared: of
-- the last sync that read two sources, how many prices both had and on how many they agreed; nulls where there was none.
-- stale: at p_at both are more than 60 days ago. Calls of models that are newer than the list have no cost until it is.
create or replace function app.price_list_age(
    p_at timestamptz, out as_of date, out sources text, out synced_at timestamptz, out sync_sources text, out agreed integer,
    out compared integer, out stale boolean
)
language plpgsql stable security definer
set search_path = ''
set timezone = 'UTC'
as $$
begin
    select r.as_of, r.source into as_of, sources
    from private.price_sync_runs r where r.kind = 'shipped' order by r.id desc limit 1;
    select r.at, r.source, r.counts ->> 'agreed', r.counts ->> 'compared' into synced_at, sync_sources, agreed, compared
    from private.price_sync_runs r where r.kind = 'sync' and (r.counts ->> 'compared')::integer > 0 order by r.id desc limit 1;
    stale := coalesce(greatest(as_of::timestamptz, synced_at) < p_at - interval '60 days', true);
end $$;

comment on function app.price_list_age is
    'When the price list was shipped and last compared with its sources, and whether that is too long ago.';
-- Security definer: the runs are in the schema private, and nothing in these columns is about an organization.
revoke execute on function app.price_list_age from public, anon, authenticated, service_role;
grant execute on function app.price_list_age to authenticated;
