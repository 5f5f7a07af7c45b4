-- key_link_end(link): undoes a link between a provider key and a key of OpenAI's list
--
-- From then on OpenAI's lines of that key count as spent past SpendAI, on all days. The key is not linked by its ending again.
-- Raises PT404 key_link_not_found, also for a link that was undone before.
create or replace function app.key_link_end(p_link_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
    v_link public.key_links;
begin
    update public.key_links l set ended_at = clock_timestamp(), ended_by = auth.uid()
    where l.id = p_link_id and l.org_id = v_org and l.ended_at is null
    returning l.* into v_link;
    if not found then
        raise sqlstate 'PT404' using message = 'no such link', detail = 'key_link_not_found';
    end if;
    perform app.audit(v_org, 'key_link.ended', v_link.version_id, jsonb_build_object('openai_key_id', v_link.openai_key_id,
        'last4', (select v.last4 from public.provider_key_versions v where v.id = v_link.version_id)));
end $$;

comment on function app.key_link_end is 'Undoes which key of OpenAI''s list a provider key is; leaves a line in the audit log.';
revoke execute on function app.key_link_end from public, anon, authenticated, service_role;
grant execute on function app.key_link_end to authenticated;
