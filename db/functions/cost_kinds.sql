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
    v_kinds numeric[] := '{0,0,0,0,0,0,0,0,0}';  -- in the order of the columns; tokens first
    c_tokens constant integer := 7;
    v_reasoning numeric := p_tokens_reasoning;
    v_line jsonb;
    v_cost numeric;
    v_kind integer;
    v_tokens numeric;
    v_sum numeric := 0;
    v_given numeric := 0;
    v_part numeric;
begin
    for i in 0 .. coalesce(case when p_cost > 0 then jsonb_array_length(p_cost_lines) end, 0) - 1 loop
        v_line := p_cost_lines -> i;
        v_cost := v_line ->> 'cost';
        case v_line ->> 'dimension'
            when 'input_text' then v_kind := 1;
            when 'output_text' then
                v_kind := 4;
                if v_reasoning > 0 then
                    v_tokens := v_line ->> 'quantity';
                    v_kinds[5] := round(v_cost * least(v_reasoning, v_tokens) / v_tokens, 12);
                    v_cost := v_cost - v_kinds[5];
                end if;
                v_reasoning := 0;
            when 'cached_text', 'cached_audio', 'cached_image' then v_kind := 2;
            when 'cache_write', 'cache_write_12h' then v_kind := 3;
            when 'input_audio', 'output_audio', 'audio_seconds', 'standby_seconds', 'input_characters' then v_kind := 6;
            when 'input_image', 'output_image', 'images' then v_kind := 7;
            when 'regional_processing' then v_kind := 9;
            when 'completion_window' then
                v_kind := null;
                -- Each part is the difference of two rounded sums, so that the parts add up to the line.
                v_tokens := (select sum(k) from unnest(v_kinds[:c_tokens]) k);
                for k in 1 .. c_tokens loop
                    v_sum := v_sum + v_kinds[k];
                    v_part := round(v_sum * v_cost / v_tokens, 12) - v_given;
                    v_kinds[k] := v_kinds[k] + v_part;
                    v_given := v_given + v_part;
                end loop;
            else v_kind := 8;
        end case;
        if v_kind is not null then
            v_kinds[v_kind] := v_kinds[v_kind] + v_cost;
        end if;
    end loop;
    cost_input := v_kinds[1];
    cost_cached := v_kinds[2];
    cost_cache_write := v_kinds[3];
    cost_output := v_kinds[4];
    cost_reasoning := v_kinds[5];
    cost_audio := v_kinds[6];
    cost_image := v_kinds[7];
    cost_tools := v_kinds[8];
    cost_region := v_kinds[9];
end $$;

comment on function app.cost_kinds is
    'What a call cost by kind: input, cached, cache write, output, reasoning, audio, image, tools, region. They add up to the cost.';
revoke execute on function app.cost_kinds from public, anon, authenticated, service_role;
grant execute on function app.cost_kinds to authenticated;
