-- refuse_change(): trigger of append-only tables; refuses every update, delete and truncate, by any role
--
-- The one exception are rows of an organization that is to be removed as a whole (app.organization_due).
create or replace function private.refuse_change() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if tg_op = 'DELETE' then
        if app.organization_due((to_jsonb(old) ->> 'org_id')::uuid) then
            return old;
        end if;
    end if;
    raise sqlstate 'PT405' using message = format('%s is append-only', tg_table_name), detail = 'append_only';
end $$;

comment on function private.refuse_change is
    'Trigger of append-only tables: no update, delete or truncate, by any role; only an organization is removed as a whole.';
-- No grant: triggers need none.
revoke execute on function private.refuse_change from public, anon, authenticated, service_role;
