-- line_alias_set(OpenAI's name, the ledger's name) → id of the alias: which line of the ledger a line of OpenAI's bill is
--
-- Both names are kept in lower case. An alias of the organization goes before the shipped one of the same name; setting it again
-- replaces it. Raises PT400 as app.clean_name does.
create or replace function app.line_alias_set(p_line_item text, p_means text) returns uuid
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_line text := lower(app.clean_name(p_line_item, 'line_item'));
    v_means text := lower(app.clean_name(p_means, 'means'));
    v_id uuid;
begin
    insert into public.line_aliases as a (org_id, line_item, means, set_by) values (v_org, v_line, v_means, auth.uid())
    on conflict (org_id, line_item) do update set means = excluded.means, set_by = excluded.set_by, at = clock_timestamp()
    returning a.id into v_id;
    perform app.audit(v_org, 'line_alias.set', null, jsonb_build_object('line_item', v_line, 'means', v_means));
    return v_id;
end $$;

comment on function app.line_alias_set is 'An admin says which line of the ledger a line of OpenAI''s bill is; leaves a line in the audit log.';
revoke execute on function app.line_alias_set from public, anon, authenticated, service_role;
grant execute on function app.line_alias_set to authenticated;
