-- price_list(words) → what each model costs now in the tier standard, in dollars per million text tokens
--
-- p_words: part of a model's name; null or empty for all. in_use: the organization called the model in the last 90 days;
-- such models come first. A price of the organization goes before the list price; own_price: at least one of the prices is
-- the organization's. extra: prices of all other dimensions, as text, such as "file search calls: $2.50 per 1,000" or
-- "regional processing eu: +10 % of the tokens"; shares of 0 % are left out. valid_from: when the newest of the prices came
-- into force; null where all hold from the beginning.
create or replace function app.price_list(p_words text)
returns table (
    model text, input numeric, cached numeric, output numeric, extra text[], valid_from timestamptz,
    own_price boolean, in_use boolean
)
language sql stable
set search_path = ''
as $$
    with current_price as (
        select distinct on (p.model, p.dimension, p.qualifier) p.*, coalesce(d.kind = 'share', false) as is_share
        from public.model_prices p
        left join app.price_dimensions() d on d.dimension = p.dimension
        where p.service_tier = 'standard' and p.context_min_tokens = 0 and p.valid_from <= now()
          and (nullif(p_words, '') is null or strpos(p.model, lower(btrim(p_words))) > 0)
        order by p.model, p.dimension, p.qualifier, p.org_id is not null desc, p.valid_from desc, p.revision desc
    ), used as (
        select distinct (app.price_model_of((select app.current_org_id()), u.model, now())).model
        from app.models_seen(date_trunc('day', now(), 'UTC') - 89 * interval '24 hours', 'infinity') u
    )
    select p.model,
        min(p.unit_price * 1000000 / p.unit_qty) filter (where p.dimension = 'input_text'),
        min(p.unit_price * 1000000 / p.unit_qty) filter (where p.dimension = 'cached_text'),
        min(p.unit_price * 1000000 / p.unit_qty) filter (where p.dimension = 'output_text'),
        coalesce(array_agg(
                     replace(p.dimension, '_', ' ') || coalesce(' ' || nullif(p.qualifier, ''), '') || ': '
                     || case when p.is_share
                            then format('%s%s %% of the tokens', case when p.unit_price > 0 then '+' end,
                                        trim_scale(p.unit_price * 100))
                            else format('%s per %s', app.dollars(p.unit_price), to_char(p.unit_qty, 'FM999,999,999,999'))
                        end
                     order by p.dimension, p.qualifier)
                 filter (where p.dimension not in ('input_text', 'cached_text', 'output_text')
                           and not (p.is_share and p.unit_price = 0)), '{}'),
        nullif(max(p.valid_from), '-infinity'), bool_or(p.org_id is not null), bool_or(s.model is not null)
    from current_price p
    left join used s on s.model = p.model
    group by p.model
    order by bool_or(s.model is not null) desc, p.model
$$;

comment on function app.price_list is 'Current standard prices per model; models in use come first.';
revoke execute on function app.price_list from public, anon, authenticated, service_role;
grant execute on function app.price_list to authenticated;
