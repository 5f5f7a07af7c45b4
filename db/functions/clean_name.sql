-- clean_name(text, parameter) → the name without white space around it; PT400 when it is empty, too long or has control
-- characters
--
-- Control characters are C0, DEL, C1, the separators of lines and paragraphs, and the characters that change the direction of
-- text, with which one name could be made to look like another one.
--
-- p_param: name of the parameter that the error is about.
create or replace function app.clean_name(p_name text, p_param text) returns text
language plpgsql immutable
set search_path = ''
as $$
declare
    v_name text := btrim(p_name, E' \t\r\n');
begin
    if v_name is null or v_name = '' then
        raise sqlstate 'PT400' using message = 'a name is needed', detail = 'name_required', column = p_param;
    elsif length(v_name) > 200 then
        raise sqlstate 'PT400' using message = 'a name has at most 200 characters', detail = 'name_too_long', column = p_param;
    elsif v_name ~ '[\u0001-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]' collate "C" then
        raise sqlstate 'PT400' using message = 'a name has no control characters', detail = 'name_invalid', column = p_param;
    end if;
    return v_name;
end $$;

comment on function app.clean_name is
    'A name as it is stored: 1 to 200 characters, none a control character; raises PT400 otherwise.';
-- No grant: only functions that store a name call it.
revoke execute on function app.clean_name from public, anon, authenticated, service_role;
