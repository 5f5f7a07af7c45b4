-- ensure_organization(...) → the caller's organization, made on the first sign-in with the caller as its admin
--
-- Called after log-in, not by a trigger on auth.users: a trigger that fails would stop every sign-up. The membership is
-- claimed first; whoever loses that race makes nothing, so sixteen first requests at once make one organization.
create or replace function app.ensure_organization(p_name text, p_install_key text, p_invite_only boolean)
returns table (org_id uuid, name text, role text, books text)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_uid uuid := auth.uid();
    v_email text;
    v_org uuid := gen_random_uuid();
    v_name text;
    v_first boolean;
begin
    select lower(u.email) into v_email from auth.users u
    where u.id = v_uid and u.email_confirmed_at is not null and u.deleted_at is null and u.is_anonymous is not true;
    if v_email is null then
        raise sqlstate 'PT403' using message = 'confirm your e-mail address first', detail = 'email_not_confirmed';
    end if;
    update public.members m set email = v_email where m.user_id = v_uid and m.email <> v_email;

    if not exists (select from public.members m where m.user_id = v_uid) then
        if p_invite_only and exists (select from private.install) then
            raise sqlstate 'PT403' using message = 'sign-up is by invitation', detail = 'signup_closed';
        end if;
        v_name := app.clean_name(coalesce(nullif(btrim(p_name), ''), split_part(v_email, '@', 2)), 'organization');
        insert into public.members as m (user_id, org_id, role, email) values (v_uid, v_org, 'admin', v_email)
        on conflict (user_id) do nothing;
        if found then
            insert into public.organizations as o (id, name) values (v_org, v_name);
            insert into private.install as i (first_org_id) values (v_org) on conflict do nothing;
            v_first := found;
            if p_install_key = 'shared' or (v_first and p_install_key = 'first') then
                update public.organizations o set books = 'openai' where o.id = v_org;
            end if;
        end if;
    end if;

    return query select o.id, o.name, m.role, o.books
        from public.members m join public.organizations o on o.id = m.org_id where m.user_id = v_uid;
end $$;

comment on function app.ensure_organization is
    'Organization of the signed-in person; made on the first call, with that person as admin. p_install_key: none, first or shared, as in open_calls.';
revoke execute on function app.ensure_organization from public, anon, authenticated, service_role;
grant execute on function app.ensure_organization to authenticated;
