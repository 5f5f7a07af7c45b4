-- ensure_organization(name, install key, invite only) → the caller's organization; made now, with the caller as admin, if
-- there is none
--
-- The application calls it after each log-in. It is no trigger on auth.users, because a trigger that fails stops every
-- sign-up. The row of members is inserted first, and its primary key lets one of several requests at once win: only the
-- winner makes the organization, so a person who opens many pages at the first log-in still gets one.
--
-- p_name: of the new organization; null or empty: the domain of the e-mail address. p_install_key: whom OPENAI_API_KEY serves (none,
-- first or shared). p_invite_only: nobody gets a new organization after the first one. Raises PT403 email_not_confirmed,
-- signup_closed.
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
        v_name := app.clean_name(coalesce(nullif(btrim(p_name), ''), left(split_part(v_email, '@', 2), 200)), 'organization');
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
    'Organization of the signed-in person; made on the first call, with this person as admin.';
revoke execute on function app.ensure_organization from public, anon, authenticated, service_role;
grant execute on function app.ensure_organization to authenticated;
