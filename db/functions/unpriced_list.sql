-- unpriced_list(words) → models that were called without a known price, those with the most calls first
--
-- p_words: part of a model's name, in any case; null or empty for all.
create or replace function app.unpriced_list(p_words text) returns setof public.unpriced_models
language sql stable
set search_path = ''
as $$
    select m.* from public.unpriced_models m
    where nullif(btrim(p_words), '') is null or strpos(lower(coalesce(m.model, '')), lower(btrim(p_words))) > 0
    order by m.calls desc, m.model, m.cost_status
$$;

comment on function app.unpriced_list is
    'Models of the caller''s organization without a known price, and how often they were called.';
revoke execute on function app.unpriced_list from public, anon, authenticated, service_role;
grant execute on function app.unpriced_list to authenticated;
