-- shared keys: whether an OpenAI key serves one organization or several decides what may outlive a call
alter table private.provider_keys add column fingerprint bytea;
create index on private.provider_keys (fingerprint);
comment on column private.provider_keys.fingerprint is 'HMAC of the OpenAI key: equal for equal keys, tells nothing else. Null for keys stored before: they count as shared.';

-- They get a new argument each; an empty database has none of them yet.
drop function if exists app.provider_key_set(uuid, bytea, text, text);
drop function if exists app.open_calls(jsonb, text);
