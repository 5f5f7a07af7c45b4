-- ledger_line(tier, model, dimension, qualifier, long context) → what the line of a call's cost is called in OpenAI's bill
--
-- Written as app.openai_line writes OpenAI's own names: without the tier standard and without the word text. A dimension whose
-- name in OpenAI's bill is not known is called `model, dimension[:qualifier]`; line_aliases can lead OpenAI's name there.
create or replace function app.ledger_line(
    p_tier text, p_model text, p_dimension text, p_qualifier text, p_long_context boolean
) returns text
language sql immutable
set search_path = ''
as $$
    select case
        when p_dimension in ('web_search_calls', 'web_search_preview_calls', 'web_search_or_preview_calls') then 'web search tool calls'
        when p_dimension = 'file_search_calls' then 'file search tool calls'
        when p_dimension ~ '^((input|cached|output)_(text|audio|image)|cache_write(_12h)?)$' then
            case when coalesce(p_tier, 'standard') = 'standard' then '' else p_tier || ' | ' end
            || p_model
            || case when p_dimension ~ '_(audio|image)$' then ' ' || substring(p_dimension from '[a-z]+$') else '' end
            || case when p_dimension like 'input%' then ', input' when p_dimension like 'cached%' then ', cached input'
                when p_dimension like 'output%' then ', output' else ', cache writes' end
            || case when p_long_context then ', long context' else '' end
        when p_dimension = 'container_sessions' then p_dimension || coalesce(':' || p_qualifier, '')
        else p_model || ', ' || p_dimension || coalesce(':' || p_qualifier, '')
    end
$$;

comment on function app.ledger_line is 'Name of a line of a cost as OpenAI''s bill writes it, for comparing the two.';
revoke execute on function app.ledger_line from public, anon, authenticated, service_role;
grant execute on function app.ledger_line to authenticated;
