-- price_model_of(organization, name, at) → the price model a name is billed as, and how it was found; nulls: unknown
--
-- Price models are the names in model_prices. Tried in this order: a price model of exactly this name (match: name), an alias
-- (exact), the longest matching pattern (prefix or regex). When all fail and the name ends in a compact date, all are tried
-- again with 20251211 written as 2025-12-11. Capitals and a leading openai/ do not matter. Dates and suffixes are never cut
-- off: gpt-4o-2024-05-13 costs twice as much as gpt-4o.
--
-- The organization of a price is compared by coalesce: for `org_id is null` the planner, which has no statistics (see
-- statistics_off), would read all prices of the list by an index that begins with org_id, instead of those of one model.
create or replace function app.price_model_of(
    p_org_id uuid, p_name text, p_at timestamptz, out model text, out match text
)
language plpgsql stable parallel safe
set search_path = ''
set random_page_cost = 1  -- makes the planner use indexes: the tables are small, but always in memory
as $$
declare
    v_name text;
begin
    if length(p_name) > 200 then
        return;
    end if;
    v_name := lower(btrim(p_name, E' \t\r\n'));
    if starts_with(v_name, 'openai/') then
        v_name := substr(v_name, 8);
    end if;

    select p.model, 'name' into model, match
    from public.model_prices p
    where p.model = v_name and p.valid_from <= p_at and coalesce(p.org_id, p_org_id) is not distinct from p_org_id
    limit 1;
    if found then
        return;
    end if;
    select a.model, 'exact' into model, match
    from public.price_aliases a
    where a.kind = 'exact' and a.pattern = v_name
      and exists (select from public.model_prices p where p.model = a.model and p.valid_from <= p_at
                  and coalesce(p.org_id, p_org_id) is not distinct from p_org_id);
    if found or v_name is null then
        return;
    end if;

    select a.model, a.kind into model, match
    from public.price_aliases a
    where case a.kind when 'prefix' then starts_with(v_name, a.pattern) when 'regex' then v_name ~ a.pattern end
      -- A fine-tuned model costs more than its base: only patterns written for fine-tuned models may match one.
      and (ltrim(a.pattern, '^') like 'ft:%') = (v_name like 'ft:%')
      and exists (select from public.model_prices p where p.model = a.model and p.valid_from <= p_at
                  and coalesce(p.org_id, p_org_id) is not distinct from p_org_id)
    order by length(a.pattern) desc, a.ord
    limit 1;
    if not found and v_name ~ '-20[0-9]{6}$' then
        select m.model, m.match into model, match
        from app.price_model_of(p_org_id, regexp_replace(v_name, '(....)(..)(..)$', '\1-\2-\3'), p_at) m;
    end if;
end $$;

comment on function app.price_model_of is
    'Price model of a model name as OpenAI writes it, and how it was found: name, exact, prefix or regex; nulls when unknown.';
revoke execute on function app.price_model_of from public, anon, authenticated, service_role;
grant execute on function app.price_model_of to authenticated;
