-- guard_provider_key_version(): trigger of provider_key_versions; a version is ended once, and refuses every other change, by any role
create or replace function private.guard_provider_key_version() returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_expected record := old;  -- the row as it was, with the one change that is allowed
begin
    if tg_op = 'DELETE' then
        if app.organization_due(old.org_id) then
            return old;  -- the whole organization is removed
        end if;
    end if;
    if tg_op = 'UPDATE' and old.until is null and new.until is not null then
        v_expected.until := new.until;
        v_expected.ended_by := new.ended_by;
        if v_expected *= new then
            return new;
        end if;
    end if;
    raise sqlstate 'PT405' using message = 'a version of a provider key can only be ended', detail = 'append_only';
end $$;

comment on function private.guard_provider_key_version is
    'Trigger: a version of a provider key is ended once; no other update or delete, by any role.';
-- No grant: triggers need none.
revoke execute on function private.guard_provider_key_version from public, anon, authenticated, service_role;
