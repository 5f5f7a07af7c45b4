-- books_store(organization, fetch) → id of the fetch
--
-- Stores one attempt to copy OpenAI's books, whole or not at all, then links keys and, unless compared_later, compares its days
-- with the ledger.
-- p_fetch: {source, grain, from_day, until_day, requests, fetched_by, error, compared_later, days: [{day, whole}],
--   costs: [{day, openai_project_id, openai_key_id, line_item, quantity, quantity_unit, amount}],
--   usage: [{path, start_at, width, openai_project_id, openai_key_id, model, batch, service_tier, requests, counts}],
--   projects: [{id, name, status, created_at, archived_at}],
--   keys: [{id, openai_project_id, name, ending, owner_kind, owner, created_at, last_used_at}]}
-- Amounts and quantities are decimal text. With an error only the attempt itself is stored.
create or replace function app.books_store(p_org_id uuid, p_fetch jsonb) returns uuid
language plpgsql
set search_path = ''
as $$
declare
    v_fetch public.openai_fetches;
    v_day date;
begin
    perform from public.organizations o where o.id = p_org_id for no key update;  -- of two fetches the later one counts whole
    insert into public.openai_fetches (org_id, source, grain, from_day, until_day, requests, error, fetched_by)
    select p_org_id, f.source, coalesce(f.grain, 'key'), f.from_day, f.until_day, coalesce(f.requests, 0), f.error, f.fetched_by
    from jsonb_to_record(p_fetch) as f (source text, grain text, from_day date, until_day date, requests integer, error text, fetched_by uuid)
    returning * into v_fetch;
    if v_fetch.error is not null then
        return v_fetch.id;
    end if;
    insert into public.openai_cost_lines (fetch_id, org_id, day, openai_project_id, openai_key_id, line_item, quantity, quantity_unit, amount)
    select v_fetch.id, p_org_id, c.day, c.openai_project_id, c.openai_key_id, c.line_item, trim_scale(c.quantity), c.quantity_unit,
        trim_scale(c.amount)
    from jsonb_to_recordset(p_fetch -> 'costs') as c (day date, openai_project_id text, openai_key_id text, line_item text,
        quantity numeric, quantity_unit text, amount numeric);
    insert into public.openai_days (org_id, day, n, fetch_id, amount, lines, whole)
    select p_org_id, d.day, v_fetch.n, v_fetch.id, trim_scale(coalesce(sum(c.amount), 0)), count(c.id), d.whole
    from jsonb_to_recordset(p_fetch -> 'days') as d (day date, whole boolean)
    left join public.openai_cost_lines c on c.org_id = p_org_id and c.day = d.day and c.fetch_id = v_fetch.id
    group by d.day, d.whole;
    insert into public.openai_usage_lines (fetch_id, org_id, path, start_at, width, openai_project_id, openai_key_id, model, batch,
        service_tier, requests, counts)
    select v_fetch.id, p_org_id, u.path, u.start_at, u.width, u.openai_project_id, u.openai_key_id, u.model, u.batch, u.service_tier,
        coalesce(u.requests, 0), coalesce(u.counts, '{}')
    from jsonb_to_recordset(p_fetch -> 'usage') as u (path text, start_at timestamptz, width text, openai_project_id text,
        openai_key_id text, model text, batch boolean, service_tier text, requests bigint, counts jsonb);
    insert into public.openai_projects as p (org_id, id, name, status, created_at, archived_at, seen_at)
    select p_org_id, j.id, j.name, j.status, j.created_at, j.archived_at, v_fetch.at
    from jsonb_to_recordset(p_fetch -> 'projects') as j (id text, name text, status text, created_at timestamptz, archived_at timestamptz)
    on conflict (org_id, id) do update set name = excluded.name, status = excluded.status, created_at = excluded.created_at,
        archived_at = excluded.archived_at, seen_at = excluded.seen_at;
    insert into public.openai_keys as k (org_id, id, openai_project_id, name, ending, owner_kind, owner, created_at, last_used_at, seen_at)
    select p_org_id, j.id, j.openai_project_id, j.name, coalesce(j.ending, ''), j.owner_kind, j.owner, j.created_at, j.last_used_at, v_fetch.at
    from jsonb_to_recordset(p_fetch -> 'keys') as j (id text, openai_project_id text, name text, ending text, owner_kind text, owner text,
        created_at timestamptz, last_used_at timestamptz)
    on conflict (org_id, id) do update set openai_project_id = excluded.openai_project_id, name = excluded.name,
        ending = excluded.ending, owner_kind = excluded.owner_kind, owner = excluded.owner, created_at = excluded.created_at,
        last_used_at = excluded.last_used_at, seen_at = excluded.seen_at;
    perform app.key_links_by_ending(p_org_id);
    for v_day in
        select d.day from public.openai_days d
        where d.fetch_id = v_fetch.id and (p_fetch ->> 'compared_later')::boolean is not true order by 1
    loop
        perform app.reconcile_day(p_org_id, v_day);
    end loop;
    return v_fetch.id;
end $$;

comment on function app.books_store is
    'Stores one fetch of OpenAI''s books, complete or failed, links keys by their endings and compares its days with the ledger.';
-- No grant: flask books runs it as the owner, signed-in admins through app.books_store_own.
revoke execute on function app.books_store from public, anon, authenticated, service_role;
