-- signup_check(e-mail, organization, token hash or null, invite only) → the e-mail address as it is stored, if it may sign up
--
-- Called before the account is made, so that an error leaves no account behind. p_organization may be empty:
-- app.ensure_organization then chooses a name. p_token_hash: SHA-256 of an invitation's token. Raises PT400 email_…,
-- name_…; PT403 signup_closed; PT404 invitation_invalid.
create or replace function app.signup_check(p_email text, p_organization text, p_token_hash bytea, p_invite_only boolean)
returns text
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_email text := app.clean_email(p_email, 'email');
begin
    if btrim(p_organization) <> '' then
        perform app.clean_name(p_organization, 'organization');
    end if;
    if p_token_hash is not null then
        if not exists (select from app.invitation_peek(p_token_hash) i where i.email = v_email) then
            raise sqlstate 'PT404' using message = 'this invitation is not valid', detail = 'invitation_invalid',
                hint = 'It may have expired, been used, or been made for another e-mail address';
        end if;
    elsif p_invite_only and exists (select from private.install) then
        raise sqlstate 'PT403' using message = 'sign-up is by invitation', detail = 'signup_closed',
            hint = 'Ask an admin of your organization for a link';
    end if;
    return v_email;
end $$;

comment on function app.signup_check is
    'Checks whether somebody may sign up with this e-mail address, and returns it as it is stored.';
revoke execute on function app.signup_check from public, anon, authenticated, service_role;
grant execute on function app.signup_check to spendai_auth;
