-- email_change(person, e-mail) → the new e-mail address as it is stored, for accounts that SpendAI keeps
--
-- Whoever calls it has checked the password. Raises PT400 email_required, email_invalid; PT409 email_taken.
create or replace function app.email_change(p_user_id uuid, p_email text) returns text
language plpgsql security definer
set search_path = ''
as $$
declare
    v_email constant text := app.clean_email(p_email, 'email');
    v_member public.members;
begin
    if not local_auth.change_email(p_user_id, v_email) then
        raise sqlstate 'PT409' using message = 'this address has an account already', detail = 'email_taken', column = 'email';
    end if;
    select m.* into v_member from public.members m where m.user_id = p_user_id for update;
    if found and v_member.email <> v_email then
        perform set_config('request.jwt.claims', jsonb_build_object('sub', p_user_id)::text, true);  -- the actor of the audit line
        perform app.audit(v_member.org_id, 'member.email_changed', p_user_id,
                          jsonb_build_object('from', v_member.email, 'to', v_email));
        update public.members m set email = v_email where m.user_id = p_user_id;
    end if;
    return v_email;
end $$;

comment on function app.email_change is 'Changes the e-mail address with which a person logs in.';
revoke execute on function app.email_change from public, anon, authenticated, service_role;
grant execute on function app.email_change to spendai_auth;
