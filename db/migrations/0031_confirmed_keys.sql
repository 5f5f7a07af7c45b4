-- 0031_confirmed_keys: a key that another organization uses already is stored only after an admin confirmed it
--
-- Its arguments change; functions/provider_key_set.sql makes it again.
-- squawk-ignore ban-drop-function
drop function if exists app.provider_key_set(uuid, bytea, text, text, bytea);
