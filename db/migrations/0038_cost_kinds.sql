-- 0038_cost_kinds: what calls cost by kind (input, cached, output, tools, …) in the sums per day
--
-- 0038_hourly_sums_filled gives past days their numbers.
alter table public.daily_totals
    add column cost_input numeric not null default 0,
    add column cost_cached numeric not null default 0,
    add column cost_cache_write numeric not null default 0,
    add column cost_output numeric not null default 0,
    add column cost_reasoning numeric not null default 0,
    add column cost_audio numeric not null default 0,
    add column cost_image numeric not null default 0,
    add column cost_tools numeric not null default 0,
    add column cost_region numeric not null default 0;
comment on column public.daily_totals.cost_input is
    'Part of cost: input tokens that are text and were neither read from the prompt cache nor written to it.';
comment on column public.daily_totals.cost_cached is
    'Part of cost: input tokens read from the prompt cache: text, audio and images.';
comment on column public.daily_totals.cost_cache_write is 'Part of cost: input tokens written to the prompt cache.';
comment on column public.daily_totals.cost_output is 'Part of cost: output tokens that are text, without reasoning.';
comment on column public.daily_totals.cost_reasoning is 'Part of cost: output tokens spent on reasoning.';
comment on column public.daily_totals.cost_audio is 'Part of cost: audio tokens in and out, seconds of audio, and characters to be spoken.';
comment on column public.daily_totals.cost_image is 'Part of cost: tokens of images in and out, and images that have a price each.';
comment on column public.daily_totals.cost_tools is
    'Part of cost: tools and whatever else is billed by a number: searches, containers, seconds of video, requests.';
comment on column public.daily_totals.cost_region is 'Part of cost: surcharges for the region that processed them.';

alter type app.total_entry add attribute cost_input numeric,
    add attribute cost_cached numeric,
    add attribute cost_cache_write numeric,
    add attribute cost_output numeric,
    add attribute cost_reasoning numeric,
    add attribute cost_audio numeric,
    add attribute cost_image numeric,
    add attribute cost_tools numeric,
    add attribute cost_region numeric;

-- Past days are added up by this version of app.cost_kinds, which its file in functions/ explains, whatever later ones do.
create function app.cost_kinds(
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
        v_cost := coalesce(nullif(v_line -> 'cost', 'null')::numeric, 0);
        case v_line ->> 'dimension'
            when 'input_text' then
                cost_input := cost_input + v_cost;
            when 'output_text' then
                if v_reasoning > 0 then
                    v_tokens := coalesce(nullif(v_line -> 'quantity', 'null')::numeric, 0);
                    cost_reasoning := round(v_cost * least(v_reasoning, v_tokens) / greatest(v_tokens, 1), 12);
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
