-- focus_month(first day of a month) → app.focus_charges of the own organization, for every member
create or replace function app.focus_month(p_month date)
returns table (
    kind text, since date, until date, closed boolean, openai_project_id text, openai_project text, project text, key text, tags jsonb,
    model text, dimension text, qualifier text, tier text, context_min_tokens integer, quantity numeric, unit_price numeric,
    unit_qty numeric, billed numeric, list_price numeric, price_id bigint, pricing_quantity numeric, list_cost numeric,
    contracted numeric, reason text
)
language sql stable security definer
set search_path = ''
as $$
    select c.* from app.focus_charges(app.current_org_id(), p_month) c where app.current_org_id() is not null
$$;

comment on function app.focus_month is 'Charges of a month of the own organization for an export in FOCUS.';
revoke execute on function app.focus_month from public, anon, authenticated, service_role;
grant execute on function app.focus_month to authenticated;
