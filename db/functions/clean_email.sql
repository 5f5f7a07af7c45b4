-- clean_email(text, parameter) → the e-mail address in lower case, without white space around it; PT400 when it is none
--
-- Accepts what the e-mail field of a browser accepts (HTML standard), if the domain also has a dot. Whether the address
-- exists is not checked. p_param: name of the parameter that the error is about.
create or replace function app.clean_email(p_email text, p_param text) returns text
language plpgsql immutable
set search_path = ''
as $$
declare
    v_email text := btrim(p_email, E' \t\r\n');
    c_label constant text := '[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
begin
    if v_email is null or v_email = '' then
        raise sqlstate 'PT400' using message = 'an e-mail address is needed', detail = 'email_required', column = p_param;
    elsif length(v_email) > 254
        or v_email !~ ('^[A-Za-z0-9.!#$%&''*+/=?^_`{|}~-]{1,64}@' || c_label || '(\.' || c_label || ')+$') collate "C"
    then
        raise sqlstate 'PT400' using message = 'this is not an e-mail address', detail = 'email_invalid', column = p_param;
    end if;
    return lower(v_email);
end $$;

comment on function app.clean_email is
    'An e-mail address as it is stored and compared; raises PT400 when the text is no address.';
-- No grant: only functions that store an address call it.
revoke execute on function app.clean_email from public, anon, authenticated, service_role;
