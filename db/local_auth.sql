-- local_auth: accounts and passwords, where SpendAI keeps them and not Supabase Auth
--
-- Runs after supabase.sql, as the same role. The functions are security definer, because only their owner may read password
-- hashes. Migration 0001 grants them to spendai_auth, the role that sign-in uses.
set client_min_messages = warning;

do $$
declare embedded constant boolean := current_user = 'supabase_admin';
begin
    if to_regclass('auth.schema_migrations') is not null then
        raise exception 'Supabase Auth keeps the passwords of this database; db/local_auth.sql must not run here';
    end if;
    if embedded then
        create schema if not exists local_auth authorization supabase_auth_admin;
        perform set_config('role', 'supabase_auth_admin', false);  -- the owner of everything below; reset at the end
        grant usage on schema local_auth to postgres with grant option;
    else
        create schema if not exists local_auth;
    end if;
end $$;

-- Null instead of an error when the e-mail address has an account: the caller decides what a stranger may learn
create or replace function local_auth.create_user(p_email text, p_hash text) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
    v_email constant text := lower(btrim(p_email, E' \t\r\n'));
    v_id uuid := gen_random_uuid();
begin
    perform local_auth.check_hash(p_hash);
    if coalesce(v_email, '') = '' then
        raise exception using errcode = 'invalid_parameter_value', message = 'an e-mail address is needed';
    end if;
    insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, created_at,
        updated_at, raw_app_meta_data, raw_user_meta_data, confirmation_token, recovery_token, email_change_token_new,
        email_change)  -- Supabase Auth fails on a token that is null
    values ('00000000-0000-0000-0000-000000000000', v_id, 'authenticated', 'authenticated', v_email, p_hash, now(),
        now(), now(), '{"provider": "email", "providers": ["email"]}', '{}', '', '', '', '')
    on conflict (email) where is_sso_user = false do nothing
    returning id into v_id;
    return v_id;
end $$;

create or replace function local_auth.find_login(p_email text)
returns table (user_id uuid, hash text, banned boolean)
language sql stable security definer set search_path = '' as $$
    select id, encrypted_password, coalesce(banned_until > now(), false)
    from auth.users
    where email = lower(btrim(p_email, E' \t\r\n')) and not is_sso_user and deleted_at is null
        and encrypted_password <> ''
$$;

create or replace function local_auth.set_password(p_user uuid, p_hash text) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
    perform local_auth.check_hash(p_hash);
    update auth.users set encrypted_password = p_hash, updated_at = now()
    where id = p_user and not is_sso_user and deleted_at is null;
    return found;
end $$;

-- False when another account has the address; the address is trusted as it is, like at sign-up
create or replace function local_auth.change_email(p_user uuid, p_email text) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
    update auth.users set email = lower(btrim(p_email, E' \t\r\n')), updated_at = now()
    where id = p_user and not is_sso_user and deleted_at is null;
    return found;
exception when unique_violation then
    return false;
end $$;

-- Everything that refers to the account goes with it: membership, sessions, links
create or replace function local_auth.delete_user(p_user uuid) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
    delete from auth.users where id = p_user;
    return found;
end $$;

-- Refuses everything but a bcrypt hash, so that a password passed by mistake is never stored in clear text
create or replace function local_auth.check_hash(p_hash text) returns void
language plpgsql immutable set search_path = '' as $$
begin
    if p_hash is null or p_hash !~ '^\$2[ab]\$[0-9]{2}\$[./A-Za-z0-9]{53}$' then
        raise exception using errcode = 'invalid_parameter_value', message = 'not a bcrypt hash';
    end if;
end $$;

comment on schema local_auth is 'Accounts and passwords, where SpendAI keeps them and not Supabase Auth.';
comment on function local_auth.create_user is 'Makes an account with a confirmed e-mail address; null when the address has one.';
comment on function local_auth.find_login is 'Id, password hash and ban of the account of an e-mail address; no row when there is none with a password.';
comment on function local_auth.set_password is 'Replaces the password hash of an account; false when there is no such account.';
comment on function local_auth.change_email is 'Replaces the e-mail address of an account; false when another one has it.';
comment on function local_auth.delete_user is 'Deletes an account with its sessions and membership; false when there is no such account.';
comment on function local_auth.check_hash is 'Raises unless the text is a bcrypt hash ($2a$ or $2b$).';

revoke execute on all functions in schema local_auth from public;
do $$ begin
    if current_user = 'supabase_auth_admin' then
        grant execute on function local_auth.create_user, local_auth.find_login, local_auth.set_password,
            local_auth.change_email, local_auth.delete_user to postgres with grant option;
    end if;
end $$;
reset role;
