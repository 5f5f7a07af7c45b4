-- price_variant(organization, requested, served, at) → whether an unknown served name is a variant of the requested one
--
-- Only then is the price of the requested model the price of the call. Variants: the same name, with or without a date
-- (2025-08-07, 20250807, 0613), -latest or -preview at its end; two fine-tuned models of the same base; a name that leads
-- to the price model of the requested one when its date is left out. A fine-tuned model is no variant of its base.
create or replace function app.price_variant(p_org_id uuid, p_requested text, p_served text, p_at timestamptz) returns boolean
language plpgsql stable parallel safe
set search_path = ''
as $$
declare
    c_ending constant text :=
        '(-(latest|preview))?(-(20\d\d-[01]\d-[0-3]\d|20\d\d[01]\d[0-3]\d|(0[1-9]|1[0-2])([0-2]\d|3[01])))?$';
    v_requested text := regexp_replace(lower(btrim(p_requested, E' \t\r\n')), '^openai/', '');
    v_served text := regexp_replace(lower(btrim(p_served, E' \t\r\n')), '^openai/', '');
begin
    if coalesce(length(p_requested) > 200 or length(p_served) > 200 or v_requested = '', true) then
        return false;
    elsif v_requested like 'ft:%' or v_served like 'ft:%' then
        return v_requested like 'ft:%' and v_served like 'ft:%'
            and app.price_variant(p_org_id, split_part(v_requested, ':', 2), split_part(v_served, ':', 2), p_at);
    end if;
    v_requested := regexp_replace(v_requested, '-latest$', '');
    v_served := regexp_replace(v_served, '-latest$', '');
    if starts_with(v_served, v_requested) then
        return substr(v_served, length(v_requested) + 1) ~ ('^' || c_ending);
    elsif starts_with(v_requested, v_served) then
        return substr(v_requested, length(v_served) + 1) ~ ('^' || c_ending);
    end if;
    return coalesce((app.price_model_of(p_org_id, regexp_replace(v_served, c_ending, ''), p_at)).model
        = (app.price_model_of(p_org_id, v_requested, p_at)).model, false);
end $$;

comment on function app.price_variant is
    'Whether a served model name that has no price is a variant of the requested name, whose price then applies.';
revoke execute on function app.price_variant from public, anon, authenticated, service_role;
grant execute on function app.price_variant to authenticated;
