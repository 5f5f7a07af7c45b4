-- organization_set_time_zone(name): the zone in which the pages of the admin's organization show periods, days and moments
--
-- p_name: as in pg_timezone_names: Europe/Berlin. Other ways to write a zone, which Postgres knows too, are refused: CET-1, +02. So are
-- the names that it reads as an offset without summer time (NOT_ZONES in webapp/filters.py).
create or replace function app.organization_set_time_zone(p_name text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_old text := (select o.time_zone from public.organizations o where o.id = v_org);
begin
    if p_name is null or p_name in ('CET', 'EET', 'MET', 'WET') or not exists (select from pg_catalog.pg_timezone_names z where z.name = p_name) then
        raise sqlstate 'PT400' using
            message = 'there is no such time zone', detail = 'invalid_time_zone', column = 'time_zone',
            hint = 'A zone is written Europe/Berlin';
    end if;
    update public.organizations o set time_zone = p_name where o.id = v_org and o.time_zone <> p_name;
    if found then
        perform app.audit(v_org, 'organization.time_zone_set', v_org, jsonb_build_object('from', v_old, 'to', p_name));
    end if;
end $$;

comment on function app.organization_set_time_zone is 'Sets the time zone of the admin''s organization.';
revoke execute on function app.organization_set_time_zone from public, anon, authenticated, service_role;
grant execute on function app.organization_set_time_zone to authenticated;
