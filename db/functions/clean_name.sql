-- clean_name(text, parameter) → the name in composed form (NFC) without white space around it; PT400 when it is empty, too long,
-- or has control characters or invisible ones
--
-- Control characters are C0, DEL, C1, the separators of lines and paragraphs, and the characters that change the direction of
-- text. With them, or with invisible ones (soft hyphen, zero-width space, word joiner, fillers), one name could be made to look
-- like another one. Joiners (U+200C, U+200D) are kept inside a name: emoji and some scripts need them. Composed: systems differ
-- in whether an é is one character or two, and both must be the same name.
--
-- p_param: name of the parameter that the error is about.
create or replace function app.clean_name(p_name text, p_param text) returns text
language plpgsql immutable
set search_path = ''
as $$
declare
    -- Every white space of Unicode, and what has no width: so that a name of nothing else is empty.
    v_name text := btrim(normalize(p_name), E' \t\r\n\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009'
        '\u200a\u200b\u200c\u200d\u202f\u205f\u2060\u3000\ufeff');
begin
    if v_name is null or v_name = '' then
        raise sqlstate 'PT400' using message = 'a name is needed', detail = 'name_required', column = p_param;
    elsif length(v_name) > 200 then
        raise sqlstate 'PT400' using message = 'a name has at most 200 characters', detail = 'name_too_long', column = p_param;
    elsif v_name ~ '[\u0001-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e'
        '\u2060-\u206f\u2800\u3164\ufeff\uffa0]' collate "C"
    then
        raise sqlstate 'PT400' using message = 'a name has no control characters and no invisible ones', detail = 'name_invalid',
            column = p_param;
    end if;
    return v_name;
end $$;

comment on function app.clean_name is
    'A name as it is stored: 1 to 200 characters, none a control character or invisible; raises PT400 otherwise.';
-- No grant: only functions that store a name call it.
revoke execute on function app.clean_name from public, anon, authenticated, service_role;
