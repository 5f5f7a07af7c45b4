-- key_create(project, key id, name, prefix, hash, expiry) → the row of the new proxy key
--
-- The application makes the key and its id; the database gets the SHA-256 of the key (p_key_hash) and its first characters
-- (p_prefix). p_expires_at: null or 'infinity' for a key that never expires. An id comes with the form that makes the key, so
-- a form that is sent twice makes one key: the second gets PT409 key_exists. Names need not be unique. Raises PT400 name_…,
-- expiry_in_past, expiry_too_late; PT404 project_not_found.
create or replace function app.key_create(
    p_project_id uuid, p_key_id uuid, p_name text, p_prefix text, p_key_hash bytea, p_expires_at timestamptz
) returns table (id uuid, project_id uuid, name text, prefix text, created_at timestamptz, expires_at timestamptz)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_org uuid := app.require_admin();
    v_key public.api_keys;
begin
    perform from public.projects p where p.id = p_project_id and p.org_id = v_org and p.archived_at is null;
    if not found then
        raise sqlstate 'PT404' using message = 'no such project', detail = 'project_not_found',
            hint = 'An archived project takes no new keys';
    end if;
    if p_expires_at <= now() then
        raise sqlstate 'PT400' using message = 'the expiry has passed already', detail = 'expiry_in_past', column = 'expires_at';
    elsif p_expires_at >= '3000-01-01T00:00:00Z' and p_expires_at < 'infinity' then
        -- Near the year 10000 the local time, and the expiry of the key after a rotation, could not be written any more.
        raise sqlstate 'PT400' using message = 'a key expires before the year 3000', detail = 'expiry_too_late',
            column = 'expires_at', hint = 'Give no expiry to a key that never expires';
    end if;
    insert into public.api_keys (id, org_id, project_id, name, prefix, key_hash, created_by, expires_at)
    values (p_key_id, v_org, p_project_id, app.clean_name(p_name, 'name'), p_prefix, p_key_hash, auth.uid(),
            nullif(p_expires_at, 'infinity'))
    on conflict do nothing returning * into v_key;
    if not found then
        raise sqlstate 'PT409' using message = 'a key with this id exists already', detail = 'key_exists';
    end if;
    perform app.audit(v_org, 'key.created', v_key.id, jsonb_build_object('name', v_key.name, 'prefix', v_key.prefix));
    return query select v_key.id, v_key.project_id, v_key.name, v_key.prefix, v_key.created_at, v_key.expires_at;
end $$;

comment on function app.key_create is
    'Makes a proxy key for a project of the admin''s organization; only its SHA-256 is stored.';
revoke execute on function app.key_create from public, anon, authenticated, service_role;
grant execute on function app.key_create to authenticated;
