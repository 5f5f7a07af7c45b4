-- organization_untouched(organization, person) → whether nothing was ever done in an organization that was made for this
-- person
--
-- True when there is nothing but the person's own membership, which app.ensure_organization made. The first organization of
-- the installation is never untouched, because OPENAI_API_KEY serves it.
create or replace function app.organization_untouched(p_org_id uuid, p_user_id uuid) returns boolean
language sql stable
set search_path = ''
as $$
    select not exists (select from public.members m where m.org_id = p_org_id and m.user_id <> p_user_id)
       and not exists (select from public.projects p where p.org_id = p_org_id)
       and not exists (select from public.invitations i where i.org_id = p_org_id)
       and not exists (select from public.audit_log a where a.org_id = p_org_id)
       and not exists (select from public.model_prices m where m.org_id = p_org_id)
       and not exists (select from private.provider_keys k where k.org_id = p_org_id)
       and not exists (select from private.install i where i.first_org_id = p_org_id)
$$;

comment on function app.organization_untouched is 'Whether the organization has nothing but the membership of this person.';
-- No grant: part of invitation_accept.
revoke execute on function app.organization_untouched from public, anon, authenticated, service_role;
