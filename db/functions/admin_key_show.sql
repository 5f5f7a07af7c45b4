-- admin_key_show() → the admin key of the caller's organization, of it only the last four characters, and its last fetches
--
-- fetched_at: when the newest complete fetch with an admin key ended. failed_at, error: of the newest attempt, if it failed.
create or replace function app.admin_key_show()
returns table (last4 text, base_url text, updated_at timestamptz, fetched_at timestamptz, failed_at timestamptz, error text)
language sql stable security definer
set search_path = ''
as $$
    select k.last4, k.base_url, k.updated_at, g.at, case when l.error is not null then l.at end, l.error
    from private.admin_keys k
    left join lateral (select f.at from public.openai_fetches f
        where f.org_id = k.org_id and f.source = 'api' and f.error is null order by f.at desc limit 1) g on true
    left join lateral (select f.at, f.error from public.openai_fetches f
        where f.org_id = k.org_id and f.source = 'api' order by f.at desc limit 1) l on true
    where k.org_id = (select app.current_org_id())
$$;

comment on function app.admin_key_show is
    'Which OpenAI admin key is stored and when OpenAI''s books were last fetched; nobody reads more than its last four characters.';
revoke execute on function app.admin_key_show from public, anon, authenticated, service_role;
grant execute on function app.admin_key_show to authenticated;
