-- 0032_key_refusals: how many calls of a revoked or expired key, or of an archived project's, were refused each day
create table public.key_refusals (
    org_id uuid not null references public.organizations (id),
    api_key_id uuid not null references public.api_keys (id),
    day date not null,
    calls bigint not null check (calls > 0),
    primary key (api_key_id, day)
) with (fillfactor = 50);  -- room beside each row for its next version: then no index is touched
create index on public.key_refusals (org_id);
alter table public.key_refusals enable row level security;
comment on table public.key_refusals is
    'Calls that were refused because their key was revoked, had expired or belongs to an archived project: some app still uses the key.';
comment on column public.key_refusals.org_id is 'The organization of the key.';
comment on column public.key_refusals.api_key_id is 'The key.';
comment on column public.key_refusals.day is 'Day on which the refusals were written, UTC; up to some seconds after the calls.';
comment on column public.key_refusals.calls is 'Refused calls. A gateway that stops may leave out those of its last seconds.';

-- squawk-ignore ban-drop-function -- their rows get the column refused_today
drop function if exists app.member_keys(uuid);
-- squawk-ignore ban-drop-function -- the same
drop function if exists app.key_overview(uuid);
