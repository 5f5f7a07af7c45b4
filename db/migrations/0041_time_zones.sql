-- 0041_time_zones: the time zone of an organization, in which its periods and days are shown
alter table public.organizations add column time_zone text not null default 'UTC' check (length(time_zone) between 1 and 64);
comment on column public.organizations.time_zone is
    'IANA name of the zone in which pages show periods, days and moments. The ledger and reconciliation count in UTC.';

-- Its result gets a column; the file of its name makes it again.
-- squawk-ignore ban-drop-function
drop function if exists app.me();
