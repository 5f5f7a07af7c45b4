-- usage_unknown(usage) → {path: quantity} of what a usage object counts under names that nobody knows; {} when nothing
--
-- A new kind of token would otherwise be left out of the cost. As a quantity without a price it makes the call
-- unpriced_dimension, and its path is shown where dimensions are: input_tokens_details.video_tokens.
--
-- Unknown is any other member of a details object that is or holds a number above 0, and at the top level only what is
-- named …_tokens, …_seconds or …_details. At most 8 members; a path has at most 80 characters. What is no sensible count
-- counts as 1.
create or replace function app.usage_unknown(p_usage jsonb) returns jsonb
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_kinds text[] := array['text_tokens', 'audio_tokens', 'image_tokens'];
    v_details text[] := array['input_tokens_details', 'input_token_details', 'prompt_tokens_details'];
    v_paths text[] := v_details || array['output_tokens_details', 'output_token_details', 'completion_tokens_details',
        'cached_tokens_details'];
    v_path text;
    v_inner jsonb;
    v_found jsonb := (p_usage - v_details) - array['input_tokens', 'prompt_tokens', 'output_tokens', 'completion_tokens',
        'total_tokens', 'reasoning_tokens', 'cached_tokens', 'cached_tokens_details', 'active_seconds', 'paused_seconds',
        'output_tokens_details', 'output_token_details', 'completion_tokens_details', 'type', 'seconds', 'characters'];
begin
    if v_found <> '{}' then
        v_found := coalesce((select jsonb_object_agg(
            case when app.price_groups() -> 'usage' ? e.key or e.key = 'video_seconds' then 'usage.' else '' end || e.key, e.value)
            from jsonb_each(v_found) as e where e.key ~ '_(tokens|seconds|details)$'), '{}');
    end if;
    if p_usage @? '$.*.*.*' then
        v_paths := v_paths || array['input_tokens_details.cached_tokens_details', 'input_token_details.cached_tokens_details',
            'prompt_tokens_details.cached_tokens_details', 'input_tokens_details.cache_write_tokens_details',
            'input_token_details.cache_write_tokens_details', 'prompt_tokens_details.cache_write_tokens_details'];
    end if;
    foreach v_path in array v_paths loop
        continue when not p_usage ? v_path and v_path not like '%.%';  -- most of them
        v_inner := p_usage #> string_to_array(v_path, '.');
        continue when jsonb_typeof(v_inner) is distinct from 'object';
        v_inner := v_inner - case
            when v_path like '%cached_tokens_details'
                then v_kinds || array['cached_text_tokens', 'cached_audio_tokens', 'cached_image_tokens']
            when v_path like '%cache_write_tokens_details' then array['ttl_30m_tokens', 'ttl_12h_tokens']
            when v_path = any (v_details) then v_kinds || array[
                'cached_tokens', 'cached_tokens_details', 'cache_write_tokens', 'cache_write_tokens_details']
            else v_kinds || array['reasoning_tokens', 'accepted_prediction_tokens', 'rejected_prediction_tokens'] end;
        continue when v_inner = '{}';
        v_found := v_found
            || (select jsonb_object_agg(v_path || '.' || e.key, e.value) from jsonb_each(v_inner) as e);
    end loop;
    if v_found = '{}' then
        return '{}';
    end if;
    return coalesce((select jsonb_object_agg(f.path, f.quantity) from (
        select left(regexp_replace(e.key, '[^a-zA-Z0-9_.]', '', 'g'), 80) as path, q.quantity
        from jsonb_each(v_found) as e
        cross join lateral (
            select sum(case when c between 0 and 1000000000000 then c else 1 end) as quantity
            from jsonb_path_query(e.value, 'strict $.**') as n cross join lateral app.price_count(n) as c
            where jsonb_typeof(n) = 'number'
               or (jsonb_typeof(n) = 'string' and n #>> '{}' ~ '^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$')) as q
        where q.quantity > 0
        order by 1 limit 8) as f), '{}');
end $$;

comment on function app.usage_unknown is
    'What a usage object counts under unknown names, by path: quantities that have no price.';
revoke execute on function app.usage_unknown from public, anon, authenticated, service_role;
grant execute on function app.usage_unknown to authenticated;
