-- shared keys: whether an OpenAI key serves one organization or several decides what may outlive a call
alter table private.provider_keys add column fingerprint bytea;
-- squawk-ignore require-concurrent-index-creation -- one row per stored key
create index on private.provider_keys (fingerprint);
comment on column private.provider_keys.fingerprint is 'HMAC of the OpenAI key: equal for equal keys, tells nothing else. Null for keys stored before: they count as shared.';
