-- openai_line(organization, name, at) → a line of OpenAI's bill by the name that app.ledger_line gives the same line
--
-- OpenAI's names have the form [prefix | ]model[ text| audio| image], input|cached input|cache writes|output[, long context],
-- or are bare, such as `web search tool calls`. The model becomes its price model, else it loses its date: OpenAI writes dated
-- names in one place and undated ones in another. ft-NAME is a fine-tuned model, ft:NAME elsewhere. Aliases go first
-- (line_aliases), the organization's before those for everybody.
--
-- surface: a prefix that is no tier, such as `evals`: spent at OpenAI past any proxy; else null. model: null for a bare name.
-- known: false for a bare name that is neither an alias nor a tool that the ledger counts; it is compared under its own name.
create or replace function app.openai_line(
    p_org_id uuid, p_name text, p_at timestamptz, out line text, out surface text, out model text, out known boolean
)
language plpgsql stable
set search_path = ''
as $$
declare
    v_name text := lower(btrim(p_name));
    v_part text[];
    v_tier text;
begin
    select a.means into line from public.line_aliases a
    where a.line_item = v_name and (a.org_id = p_org_id or a.org_id is null) order by a.org_id nulls last limit 1;
    if found then
        known := true;
        model := case when line like '%, %' then regexp_replace(split_part(line, ', ', 1), '^.* \| ', '') end;
        return;
    end if;
    v_part := regexp_match(v_name, '^(?:([a-z0-9_ -]+) \| )?(.*)$');
    v_tier := case when v_part[1] = 'standard' or v_part[1] is null then '' when v_part[1] = 'fast' then 'priority | '
        when v_part[1] = any (app.price_tiers()) then v_part[1] || ' | ' end;
    surface := case when v_tier is null then v_part[1] end;
    v_part := regexp_match(v_part[2],
        '^(?:(.+?)(?: (text|audio|image))?, *(input|cached input|cache writes|output)(?:_tokens)?(, long context)?|(.+))$');
    if v_part[5] is not null or v_part is null then
        line := coalesce(v_tier, surface || ' | ') || coalesce(v_part[5], '');
        known := line in ('web search tool calls', 'file search tool calls');
        return;
    end if;
    v_part[1] := regexp_replace(v_part[1], '^ft-', 'ft:');
    model := coalesce((select m.model from app.price_model_of(p_org_id, v_part[1], p_at) m),
        regexp_replace(v_part[1], '-20\d\d-\d\d-\d\d$', ''));
    line := coalesce(v_tier, surface || ' | ') || model || coalesce(' ' || nullif(v_part[2], 'text'), '') || ', ' || v_part[3]
        || coalesce(v_part[4], '');
    known := true;
end $$;

comment on function app.openai_line is
    'Name of a line of OpenAI''s bill as the ledger writes it, its price model, and whether it is of a use past the proxy.';
revoke execute on function app.openai_line from public, anon, authenticated, service_role;
grant execute on function app.openai_line to authenticated;
