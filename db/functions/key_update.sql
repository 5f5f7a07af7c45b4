-- key_update(key, name, note, expiry) → the key as it is now; a null argument leaves that part as it is
--
-- A name and a note belong to all generations of a key, an expiry to this one. p_note: '' for none. p_expires_at: 'infinity' for
-- a key that never expires. An expired key works again with a later expiry, from the next call on; a revoked one never does.
-- Raises PT400 name_…, note_invalid, expiry_in_past, expiry_too_late; PT404 key_not_found; PT409 key_revoked, for the expiry of a
-- revoked key.
create or replace function app.key_update(p_key_id uuid, p_name text, p_note text, p_expires_at timestamptz)
returns table (
    id uuid, project_id uuid, project text, name text, prefix text, created_at timestamptz, created_by text,
    expires_at timestamptz, revoked_at timestamptz, rotated_from uuid, last_used_at timestamptz, state text, note text
)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_org uuid := app.require_admin();
    v_old public.api_keys;
    v_new public.api_keys;
    v_line uuid[];
    v_note text := btrim(replace(p_note, E'\r\n', E'\n'), E' \t\n');
begin
    select * into v_old from public.api_keys k where k.id = p_key_id and k.org_id = v_org for no key update;
    if not found then
        raise sqlstate 'PT404' using message = 'no such key', detail = 'key_not_found';
    elsif length(v_note) > 1000 or v_note ~ '[\u0001-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]' collate "C" then
        raise sqlstate 'PT400' using message = 'a note has at most 1000 characters and no control characters', detail = 'note_invalid',
            column = 'note';
    elsif p_expires_at <= now() then
        raise sqlstate 'PT400' using message = 'the expiry has passed already', detail = 'expiry_in_past', column = 'expires_at',
            hint = 'Revoke the key to end it now';
    elsif p_expires_at >= '3000-01-01T00:00:00Z' and p_expires_at < 'infinity' then  -- see key_create
        raise sqlstate 'PT400' using message = 'a key expires before the year 3000', detail = 'expiry_too_late',
            column = 'expires_at', hint = 'Give no expiry to a key that never expires';
    elsif p_expires_at is not null and v_old.revoked_at is not null then
        raise sqlstate 'PT409' using message = 'the key is revoked', detail = 'key_revoked', hint = 'Create a new key instead';
    end if;
    v_line := array(select l.id from app.key_line(p_key_id) l order by l.id);
    perform from public.api_keys k where k.id = any (v_line) order by k.id for no key update;
    update public.api_keys k set
        name = case when p_name is null then k.name else app.clean_name(p_name, 'name') end,
        note = case when v_note is null then k.note else nullif(v_note, '') end,
        expires_at = case when k.id <> p_key_id or p_expires_at is null then k.expires_at else nullif(p_expires_at, 'infinity') end
    where k.id = any (v_line);
    select * into v_new from public.api_keys k where k.id = p_key_id;
    if v_new.name <> v_old.name then
        perform app.audit(v_org, 'key.renamed', v_new.id,
            jsonb_build_object('from', v_old.name, 'to', v_new.name, 'prefix', v_new.prefix));
    end if;
    if v_new.note is distinct from v_old.note then
        perform app.audit(v_org, 'key.noted', v_new.id, jsonb_build_object('name', v_new.name, 'prefix', v_new.prefix, 'note', v_new.note));
    end if;
    if v_new.expires_at is distinct from v_old.expires_at then
        perform app.audit(v_org, case when v_new.expires_at is null then 'key.expiry_removed' else 'key.expiry_changed' end, v_new.id,
            jsonb_build_object('name', v_new.name, 'prefix', v_new.prefix,
                'from', to_char(v_old.expires_at at time zone 'utc', 'YYYY-MM-DD HH24:MI'),
                'to', to_char(v_new.expires_at at time zone 'utc', 'YYYY-MM-DD HH24:MI')));
    end if;
    return query select l.* from app.key_list(v_new.project_id) l where l.id = v_new.id;
end $$;

comment on function app.key_update is 'Renames a proxy key of the admin''s organization, changes its note or its expiry.';
revoke execute on function app.key_update from public, anon, authenticated, service_role;
grant execute on function app.key_update to authenticated;
