-- Makes in a plain Postgres what every Supabase project has: its roles and the schema auth
--
-- Runs as superuser supabase_admin in the embedded cluster, where role postgres then owns the database as it does on Supabase;
-- or as the owner of any other database, who needs CREATEROLE and then owns everything made here. May run again at any time.
set client_min_messages = warning;

do $$
declare
    embedded constant boolean := current_user = 'supabase_admin';
    owner constant name := case when embedded then 'postgres' else current_user end;
    r record;
begin
    if to_regclass('auth.schema_migrations') is not null then
        raise exception 'this database has a real Supabase auth schema; db/supabase.sql must not touch it';
    end if;

    for r in select * from (values
        ('anon', 'nologin', '{statement_timeout=''3s''}'::text[]),
        ('authenticated', 'nologin', '{statement_timeout=''8s''}'),
        ('service_role', 'nologin bypassrls', '{}'),
        ('authenticator', 'login noinherit', '{statement_timeout=''8s'',lock_timeout=''8s''}'),
        ('supabase_auth_admin', 'login noinherit createrole', '{search_path=auth}'),
        ('postgres', 'login createdb createrole replication bypassrls', '{}')
    ) as wanted (role, attributes, settings) loop
        continue when r.role = 'postgres' and not embedded
            or exists (select from pg_catalog.pg_roles where rolname = r.role);
        begin
            execute format('create role %I %s', r.role, r.attributes);
        exception
            when duplicate_object or unique_violation then continue;  -- made meanwhile from another database of this cluster
            when insufficient_privilege then  -- only a role that has BYPASSRLS can give it; the product does not need it
                execute format('create role %I %s', r.role, replace(r.attributes, 'bypassrls', ''));
        end;
        execute (select coalesce(string_agg(format('alter role %I set %s', r.role, s), ';'), '')
            from unnest(r.settings) s);
    end loop;

    if embedded then
        alter role postgres set search_path = "$user", public, extensions;
        grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
        execute format('alter database %I owner to postgres', current_database());
    end if;
    execute format('revoke temporary on database %I from public', current_database());

    begin
        grant anon, authenticated, service_role to authenticator;
        execute format('grant anon, authenticated, service_role to %I %s', owner,
            case when embedded then 'with admin option' end);  -- since Postgres 16 only this option lets a role be granted further
    exception when insufficient_privilege then
        raise warning 'roles anon, authenticated, service_role were made by another role, so they are not granted to %', owner;
    end;

    if embedded then
        create schema if not exists extensions authorization postgres;
        create schema if not exists auth authorization supabase_auth_admin;
        perform set_config('role', 'supabase_auth_admin', false);  -- the owner of everything below; reset at the end
    else
        create schema if not exists extensions;
        create schema if not exists auth;
    end if;
    execute format('grant usage on schema auth to anon, authenticated, service_role, %I', owner);
end $$;

-- The columns of Supabase Auth (GoTrue), so that rows can be copied to Supabase unchanged
create table if not exists auth.users (
    instance_id uuid, id uuid primary key, aud varchar(255), role varchar(255), email varchar(255),
    encrypted_password varchar(255), email_confirmed_at timestamptz, invited_at timestamptz,
    confirmation_token varchar(255), confirmation_sent_at timestamptz,
    recovery_token varchar(255), recovery_sent_at timestamptz,
    email_change_token_new varchar(255), email_change varchar(255), email_change_sent_at timestamptz,
    last_sign_in_at timestamptz, raw_app_meta_data jsonb, raw_user_meta_data jsonb, is_super_admin boolean,
    created_at timestamptz, updated_at timestamptz,
    phone text unique default null, phone_confirmed_at timestamptz, phone_change text default '',
    phone_change_token varchar(255) default '', phone_change_sent_at timestamptz,
    confirmed_at timestamptz generated always as (least(email_confirmed_at, phone_confirmed_at)) stored,
    email_change_token_current varchar(255) default '',
    email_change_confirm_status smallint default 0 check (email_change_confirm_status between 0 and 2),
    banned_until timestamptz, reauthentication_token varchar(255) default '', reauthentication_sent_at timestamptz,
    is_sso_user boolean not null default false, deleted_at timestamptz, is_anonymous boolean not null default false
);
create unique index if not exists users_email_partial_key on auth.users (email) where is_sso_user = false;
alter table auth.users enable row level security;
comment on table auth.users is 'People who can sign in, one row each; passwords as bcrypt hashes.';

create or replace function auth.uid() returns uuid language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
create or replace function auth.role() returns text language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.role', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role')
$$;
create or replace function auth.email() returns text language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.email', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email')
$$;
create or replace function auth.jwt() returns jsonb language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim', true), ''),
        nullif(current_setting('request.jwt.claims', true), ''))::jsonb
$$;
comment on function auth.uid is 'Id of the signed-in person of this transaction; null when nobody is.';
comment on function auth.role is 'Role claim of this transaction''s token.';
comment on function auth.email is 'E-mail claim of this transaction''s token.';
comment on function auth.jwt is 'All claims of this transaction''s token.';

do $$ begin
    if current_user = 'supabase_auth_admin' then
        grant select, references, trigger on auth.users to postgres with grant option;
    end if;
end $$;
reset role;
