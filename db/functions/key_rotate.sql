-- key_rotate(old key, new id, new prefix, new hash, overlap) → the row of the new key, which replaces the old one
--
-- Both keys work until the overlap has passed; then the old one expires. A key can be rotated once. Raises PT400
-- overlap_invalid; PT404 key_not_found; PT409 key_not_active, key_already_rotated, project_archived, key_exists.
create or replace function app.key_rotate(
    p_old_id uuid, p_key_id uuid, p_prefix text, p_key_hash bytea, p_overlap_seconds integer
) returns table (id uuid, project_id uuid, name text, prefix text, created_at timestamptz, expires_at timestamptz)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_org uuid := app.require_admin();
    v_old public.api_keys;
    v_new public.api_keys;
begin
    if p_overlap_seconds is null or p_overlap_seconds not between 0 and 2592000 then
        raise sqlstate 'PT400' using message = 'the overlap is 0 to 2592000 seconds (30 days)', detail = 'overlap_invalid',
            column = 'overlap_seconds';
    end if;
    select * into v_old from public.api_keys k where k.id = p_old_id and k.org_id = v_org for no key update;
    if not found then
        raise sqlstate 'PT404' using message = 'no such key', detail = 'key_not_found';
    elsif v_old.revoked_at is not null or v_old.expires_at <= now() then
        raise sqlstate 'PT409' using message = 'the key is not active any more', detail = 'key_not_active',
            hint = 'Create a new key instead';
    elsif exists (select from public.api_keys k where k.rotated_from = v_old.id) then
        raise sqlstate 'PT409' using message = 'the key has been rotated already', detail = 'key_already_rotated';
    elsif exists (select from public.projects p where p.id = v_old.project_id and p.archived_at is not null) then
        raise sqlstate 'PT409' using message = 'the project is archived', detail = 'project_archived';
    end if;
    -- The new key is valid as long as the old one was meant to be: 90 days for a key made for 90 days.
    insert into public.api_keys (id, org_id, project_id, name, prefix, key_hash, created_by, expires_at, rotated_from, note)
    values (p_key_id, v_org, v_old.project_id, v_old.name, p_prefix, p_key_hash, auth.uid(),
            now() + (v_old.expires_at - v_old.created_at), v_old.id, v_old.note)
    on conflict do nothing returning * into v_new;
    if not found then
        raise sqlstate 'PT409' using message = 'a key with this id exists already', detail = 'key_exists';
    end if;
    update public.api_keys k
    set expires_at = least(k.expires_at, now() + make_interval(secs => p_overlap_seconds)) where k.id = v_old.id;
    perform app.audit(v_org, 'key.rotated', v_old.id, jsonb_build_object('name', v_old.name, 'prefix', v_old.prefix,
        'new_id', v_new.id, 'new_prefix', v_new.prefix, 'overlap_seconds', p_overlap_seconds));
    return query select v_new.id, v_new.project_id, v_new.name, v_new.prefix, v_new.created_at, v_new.expires_at;
end $$;

comment on function app.key_rotate is 'Replaces a proxy key by a new one; both work until the overlap has passed.';
revoke execute on function app.key_rotate from public, anon, authenticated, service_role;
grant execute on function app.key_rotate to authenticated;
