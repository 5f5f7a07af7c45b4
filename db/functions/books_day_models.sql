-- books_day_models(day) → names of the models that were called on a day or the day before, each with the model of its price
--
-- Calls are filtered by the name that OpenAI answered, lines of a bill are compared by price model: this leads from one to the other.
create or replace function app.books_day_models(p_day date) returns table (price_model text, name text)
language sql stable
set search_path = ''
as $$
    select coalesce(p.model, regexp_replace(lower(m.model), '-20\d\d-\d\d-\d\d$', '')), m.model
    from app.models_seen((p_day - 1)::timestamp at time zone 'utc', p_day::timestamp at time zone 'utc') m
    left join lateral app.price_model_of((select app.current_org_id()), m.model, p_day::timestamp at time zone 'utc') p on true
    order by 1, 2
$$;

comment on function app.books_day_models is 'Models called about a day, by the names of calls and of prices.';
revoke execute on function app.books_day_models from public, anon, authenticated, service_role;
grant execute on function app.books_day_models to authenticated;
