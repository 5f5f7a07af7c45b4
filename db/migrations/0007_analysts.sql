-- 0007_analysts: which organization an analyst's own SQL login belongs to
create table private.analyst_logins (
    role_name name primary key,
    org_id uuid not null references public.organizations (id) on delete cascade,
    name text not null check (length(name) between 1 and 200),
    created_at timestamptz not null default now()
);
create index on private.analyst_logins (org_id);
alter table private.analyst_logins enable row level security;
comment on table private.analyst_logins is 'SQL logins of analysts. Without its row here a login sees nothing, from the next statement on.';
comment on column private.analyst_logins.role_name is 'The login. Opaque, because every login of a Postgres can read the names of all.';
comment on column private.analyst_logins.name is 'Whom it was made for, as the operator said.';
