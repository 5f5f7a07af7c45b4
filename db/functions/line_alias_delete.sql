-- line_alias_delete(alias): deletes a name of a line that an admin of the organization set
--
-- Raises PT404 line_alias_not_found, also for a shipped alias: a shipped one is overruled by one's own of the same name.
create or replace function app.line_alias_delete(p_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_alias public.line_aliases;
begin
    delete from public.line_aliases a where a.id = p_id and a.org_id = v_org returning a.* into v_alias;
    if not found then
        raise sqlstate 'PT404' using message = 'no such name of a line', detail = 'line_alias_not_found';
    end if;
    perform app.audit(v_org, 'line_alias.deleted', null,
        jsonb_build_object('line_item', v_alias.line_item, 'means', v_alias.means));
end $$;

comment on function app.line_alias_delete is 'Deletes an alias of a line that the organization set; leaves a line in the audit log.';
revoke execute on function app.line_alias_delete from public, anon, authenticated, service_role;
grant execute on function app.line_alias_delete to authenticated;
