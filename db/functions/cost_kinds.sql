-- cost_kinds(cost, lines, reasoning tokens) → what a call cost by kind: input, cached, cache write, output, reasoning, audio, …
--
-- Each line of the cost belongs to one kind, by its dimension. Cached tokens of any sort are `cached`, other tokens of audio and
-- images are `audio` and `image`. Seconds and characters of speech go with audio, images by number with image, and whatever else
-- is no token (searches, containers, seconds of video, requests) with `tools`. Two lines are divided:
--   output_text: reasoning tokens have the price of this line, the first one; the rest of it is `output`
--   completion_window: added to, or taken off, what the tokens cost: so each kind of tokens gets its part
--
-- The kinds add up to the cost, except for calls that were closed by hand: their cost has no lines. Who gives a dimension another
-- kind must also change past sums, in a migration.
create or replace function app.cost_kinds(
    p_cost numeric, p_cost_lines jsonb, p_tokens_reasoning bigint,
    out cost_input numeric, out cost_cached numeric, out cost_cache_write numeric, out cost_output numeric,
    out cost_reasoning numeric, out cost_audio numeric, out cost_image numeric, out cost_tools numeric, out cost_region numeric
)
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_line jsonb;
    v_cost numeric;
    v_tokens numeric;
    v_reasoning bigint := p_tokens_reasoning;
    v_parts numeric[];
begin
    cost_input := 0;
    cost_cached := 0;
    cost_cache_write := 0;
    cost_output := 0;
    cost_reasoning := 0;
    cost_audio := 0;
    cost_image := 0;
    cost_tools := 0;
    cost_region := 0;
    for i in 0 .. coalesce(case when p_cost > 0 then jsonb_array_length(p_cost_lines) end, 0) - 1 loop
        v_line := p_cost_lines -> i;
        v_cost := (v_line -> 'cost')::numeric;
        case v_line ->> 'dimension'
            when 'input_text' then
                cost_input := cost_input + v_cost;
            when 'output_text' then
                if v_reasoning > 0 then
                    v_tokens := (v_line -> 'quantity')::numeric;
                    cost_reasoning := round(v_cost * least(v_reasoning, v_tokens) / v_tokens, 12);
                    v_cost := v_cost - cost_reasoning;
                    v_reasoning := 0;  -- all of them are the work of the model that was asked, whose lines come first
                end if;
                cost_output := cost_output + v_cost;
            when 'cached_text', 'cached_audio', 'cached_image' then
                cost_cached := cost_cached + v_cost;
            when 'cache_write', 'cache_write_12h' then
                cost_cache_write := cost_cache_write + v_cost;
            when 'input_audio', 'output_audio', 'audio_seconds', 'standby_seconds', 'input_characters' then
                cost_audio := cost_audio + v_cost;
            when 'input_image', 'output_image', 'images' then
                cost_image := cost_image + v_cost;
            when 'regional_processing' then
                cost_region := cost_region + v_cost;
            when 'completion_window' then
                -- Each kind gets the difference of two rounded sums, so that what they get adds up to the line.
                select array_agg(k.cost + round(k.upto * v_cost / k.total, 12) - round((k.upto - k.cost) * v_cost / k.total, 12)
                    order by k.n) into v_parts
                from (
                    select t.cost, t.n, sum(t.cost) over (order by t.n) as upto, coalesce(nullif(sum(t.cost) over (), 0), 1) as total
                    from unnest(array[cost_input, cost_cached, cost_cache_write, cost_output, cost_reasoning, cost_audio,
                        cost_image]) with ordinality t (cost, n)
                ) k;
                cost_input := v_parts[1];
                cost_cached := v_parts[2];
                cost_cache_write := v_parts[3];
                cost_output := v_parts[4];
                cost_reasoning := v_parts[5];
                cost_audio := v_parts[6];
                cost_image := v_parts[7];
            else
                cost_tools := cost_tools + v_cost;
        end case;
    end loop;
end $$;

comment on function app.cost_kinds is
    'What a call cost by kind: input, cached, cache write, output, reasoning, audio, image, tools, region. Adds up to the cost.';
revoke execute on function app.cost_kinds from public, anon, authenticated, service_role;
grant execute on function app.cost_kinds to authenticated;
