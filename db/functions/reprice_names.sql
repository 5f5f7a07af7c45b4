-- reprice_names(organization) → every name of a model in the organization's calls that can have a cost, with its price model
--
-- The names that answered, that were asked for, and of the models that worked beside them (price_others); *tools and *tokens
-- where a call used tools, a region or a completion window. model is null for a name without prices.
create or replace function app.reprice_names(p_org_id uuid) returns table (name text, model text, first_call timestamptz)
language sql stable
set search_path = ''
as $$
    select n.name, m.model, n.first_call
    from (
        select v.name, min(u.started_at) as first_call
        from public.usage_logs u
        join public.organizations o on o.id = u.org_id and o.books = u.upstream
        cross join lateral unnest(array[u.model, u.model_requested, case when u.tools is not null then '*tools' end,
            case when u.usage ?| array['region', 'completion_window'] then '*tokens' end] || app.price_others(u.usage)) as v (name)
        where u.org_id = p_org_id and u.state = 'settled' and v.name is not null
          and u.cost_status in ('priced', 'tier_fallback', 'unpriced_model', 'unpriced_dimension')
        group by v.name
    ) n
    left join lateral app.price_model_of(p_org_id, n.name, 'infinity') m on true
$$;

comment on function app.reprice_names is
    'Names of models in an organization''s calls that can have a cost, each with its price model; part of reprice_new.';
-- No grant: part of reprice_new and reprice_organization.
revoke execute on function app.reprice_names from public, anon, authenticated, service_role;
