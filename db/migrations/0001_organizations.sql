-- 0001_organizations: schemas, login roles, organizations and the people in them
--
-- Runs as the database owner, which need not be a superuser. Roles live in the cluster, not in the database, so each is
-- made only where it is missing; they cannot log in until `flask migrate` gives them a password.
create schema if not exists app;
create schema if not exists private;
revoke all on schema app, private from public;
comment on schema app is 'Behaviour: every rule about money or access is a function here. Never exposed as an API.';
comment on schema private is 'Secrets, sessions and the storage of usage_logs. No role but the owner has rights here.';

do $$
declare
    r text;
begin
    foreach r in array array['spendai_web', 'spendai_proxy', 'spendai_auth', 'spendai_analyst'] loop
        begin
            execute format('create role %I nologin noinherit', r);
        exception when duplicate_object then null;
        end;
    end loop;
end $$;
comment on role spendai_web is 'SpendAI pages and API: becomes `authenticated` for one transaction at a time, has no rights itself.';
comment on role spendai_proxy is 'SpendAI gateway: may open and settle calls, nothing else.';
comment on role spendai_auth is 'SpendAI sign-in: sessions and local passwords, nothing else.';
comment on role spendai_analyst is 'Group of the analysts'' own SQL logins.';

-- Not service_role: nothing in the product needs to step around row level security.
grant authenticated to spendai_web;
grant usage on schema app to authenticated, spendai_proxy, spendai_auth;
do $$
begin
    if to_regnamespace('local_auth') is not null then  -- absent where Supabase Auth keeps the passwords
        grant usage on schema local_auth to spendai_auth;
        grant execute on function local_auth.create_user, local_auth.find_login, local_auth.set_password to spendai_auth;
    end if;
end $$;
-- Only this form, without IN SCHEMA, takes PUBLIC's execute right away from functions made later.
alter default privileges revoke execute on functions from public;

create table public.organizations (
    id uuid primary key default gen_random_uuid(),
    name text not null check (length(name) between 1 and 200),
    books text not null default 'sandbox' check (books in ('sandbox', 'openai')),
    is_demo boolean not null default false,
    created_at timestamptz not null default now()
);
comment on table public.organizations is 'One company. Everything else belongs to exactly one.';
comment on column public.organizations.books is
    'Which calls count: play money (sandbox) until an OpenAI key serves the organization, then real money, for good.';
comment on column public.organizations.is_demo is 'Filled with made-up calls; always answered by the sandbox.';

create table private.install (
    only_row boolean primary key default true check (only_row),
    first_org_id uuid not null references public.organizations (id)
);
alter table private.install enable row level security;
create index on private.install (first_org_id);
comment on table private.install is 'The organization made first: the only one the install''s own OpenAI key serves unless it is shared.';

create table public.members (
    user_id uuid primary key references auth.users (id) on delete cascade,
    -- Deferred: the membership is claimed first, which is what makes two concurrent first sign-ins make one organization.
    org_id uuid not null references public.organizations (id) deferrable initially deferred,
    role text not null check (role in ('admin', 'developer')),
    email text not null,
    joined_at timestamptz not null default now()
);
create index on public.members (org_id);
comment on table public.members is 'Who belongs to which organization; a person belongs to one.';
comment on column public.members.role is 'admin: manages everything. developer: reads usage.';
comment on column public.members.email is 'As at the last log-in; the identity provider owns the address.';

create table public.invitations (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (id),
    email text not null check (length(email) between 3 and 320),
    role text not null check (role in ('admin', 'developer')),
    token_hash bytea not null unique check (length(token_hash) = 32),
    created_by uuid not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null default now() + interval '7 days',
    accepted_at timestamptz,
    accepted_by uuid,
    revoked_at timestamptz
);
create index on public.invitations (org_id);
comment on table public.invitations is 'Links by which people join. Only the hash of the token is kept.';

create table public.audit_log (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (id),
    at timestamptz not null default clock_timestamp(),
    actor_id uuid,
    actor_email text,
    action text not null,
    subject_id uuid,
    details jsonb not null default '{}'
);
create index on public.audit_log (org_id, at desc, id);
comment on table public.audit_log is 'Who did what when. Append-only; never holds a secret.';
comment on column public.audit_log.action is 'subject.verb, such as key.created.';
comment on column public.audit_log.actor_id is 'The person; null when the operator acted on the command line.';

create function private.refuse_change() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    raise sqlstate 'PT405' using message = format('%s is append-only', tg_table_name), detail = 'append_only';
end $$;
comment on function private.refuse_change() is 'Trigger of the append-only tables: no update, delete or truncate for anyone.';

create trigger append_only before update or delete on public.audit_log
    for each row execute function private.refuse_change();
create trigger append_only_truncate before truncate on public.audit_log
    for each statement execute function private.refuse_change();
