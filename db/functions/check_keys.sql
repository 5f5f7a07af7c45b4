-- check_keys(keys) → one row per key: whether app.open_calls would accept it now
--
-- Writes nothing. The gateway asks before it reads a large body, so that a stranger without a key cannot make it hold and
-- read one. app.open_calls checks the same key again when it opens the call.
--
-- p_keys: [{n, key_hash (hex)}, …]. outcome: valid, invalid_key, revoked_key, expired_key or archived_project.
create or replace function app.check_keys(p_keys jsonb)
returns table (n integer, outcome text)
language sql stable security definer
set search_path = ''
set enable_seqscan = off  -- plans are kept: whatever the size of a table was, its rows are found one by one, by an index
set cpu_index_tuple_cost = 1  -- and never by reading an index from end to end, which is cheap only while it is empty
set enable_hashjoin = off
set enable_mergejoin = off
set enable_material = off
set jit = off  -- see settle_calls
as $$
    select c.n,
        case
            when k.id is null then 'invalid_key'
            when k.revoked_at is not null then 'revoked_key'
            when k.expires_at <= clock_timestamp() then 'expired_key'
            when p.archived_at is not null then 'archived_project'
            else 'valid'
        end
    from jsonb_to_recordset(p_keys) as c (n integer, key_hash text)
    left join public.api_keys k on k.key_hash = decode(c.key_hash, 'hex')
    left join public.projects p on p.id = k.project_id
$$;

comment on function app.check_keys is 'Whether proxy keys are valid now, for a batch of keys; one row back per key.';
revoke execute on function app.check_keys from public, anon, authenticated, service_role;
grant execute on function app.check_keys to spendai_proxy;
