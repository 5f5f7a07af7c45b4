-- usage_excess(usage) → a sentence for each part of a usage object that is more than its total, and for wrong sums
--
-- The parts of the input tokens overlap: tokens of images may be cached ones. So each is compared with the total alone,
-- but cached and written tokens exclude each other, as do the seconds of a Live session.
create or replace function app.usage_excess(p_usage jsonb) returns text[]
language sql immutable parallel safe
set search_path = ''
as $$
    with said as (
        select c.details_in as i, c.details_out as o, app.price_count(c.tokens_in) as tokens_in,
            app.price_count(c.tokens_out) as tokens_out, app.price_count(p_usage -> 'total_tokens') as total,
            app.price_count(p_usage -> 'seconds') as seconds,
            case when p_usage -> 'input_tokens' = c.tokens_in then 'input_tokens' else 'prompt_tokens' end as in_name,
            case when p_usage -> 'output_tokens' = c.tokens_out then 'output_tokens' else 'completion_tokens' end as out_name,
            coalesce(p_usage -> 'input_tokens_details', p_usage -> 'prompt_tokens_details', p_usage -> 'input_token_details')
                as written
        from app.usage_counts(p_usage) as c
    ), parts (n, part, quantity, whole, limited) as (
        select 1, k, app.price_count(s.i -> k), s.in_name, s.tokens_in
        from said as s, unnest(array['cached_tokens', 'cache_write_tokens', 'text_tokens', 'audio_tokens', 'image_tokens']) as k
        union all
        select 2, 'cached_tokens plus cache_write_tokens',
            app.price_count(s.i -> 'cached_tokens') + app.price_count(s.i -> 'cache_write_tokens'), s.in_name, s.tokens_in
        from said as s where least(app.price_count(s.i -> 'cached_tokens'), app.price_count(s.i -> 'cache_write_tokens')) > 0
        union all
        select 3, k, app.price_count(s.o -> k), s.out_name, s.tokens_out
        from said as s, unnest(array['reasoning_tokens', 'text_tokens', 'audio_tokens', 'image_tokens']) as k
        union all
        select 4, 'cached ' || k, app.price_count(s.i -> 'cached_tokens_details' -> k), 'cached_tokens',
            app.price_count(s.i -> 'cached_tokens')
        from said as s, unnest(array['text_tokens', 'audio_tokens', 'image_tokens', 'cached_text_tokens', 'cached_audio_tokens',
            'cached_image_tokens']) as k
        union all
        select 6, 'paused_seconds', app.price_count(p_usage -> 'paused_seconds'), 'seconds', s.seconds from said as s
        union all
        select 7, 'active_seconds plus paused_seconds', coalesce(app.price_count(p_usage -> 'active_seconds'), 0)
            + coalesce(app.price_count(p_usage -> 'paused_seconds'), 0), 'seconds plus 1', s.seconds + 1 from said as s
    )
    select array(
        select format('%s (%s) is more than %s (%s)', p.part, p.quantity, p.whole, p.limited)
        from parts as p where p.quantity > p.limited and p.quantity <> 'NaN' order by p.n, p.part)
        || array(
        select format('ttl_30m_tokens (%s) and ttl_12h_tokens (%s) do not add up to cache_write_tokens (%s)',
            coalesce(left(w.by_ttl ->> 'ttl_30m_tokens', 40), 'not given'),
            coalesce(left(w.by_ttl ->> 'ttl_12h_tokens', 40), 'not given'), left(s.written ->> 'cache_write_tokens', 40))
        from said as s cross join lateral (select s.written -> 'cache_write_tokens_details') as w (by_ttl)
        where s.i -> 'cache_write_tokens' = '"contradictory"' and s.written -> 'cache_write_tokens' is not null
          and jsonb_typeof(w.by_ttl) = 'object')
        || array(
        select format('total_tokens (%s) is not %s plus %s (%s)', s.total, s.in_name, s.out_name, s.tokens_in + s.tokens_out)
        from said as s where s.total <> s.tokens_in + s.tokens_out and s.total + s.tokens_in + s.tokens_out <> 'NaN')
$$;

comment on function app.usage_excess is 'Parts of a usage object that are more than their total, and wrong sums, as sentences.';
revoke execute on function app.usage_excess from public, anon, authenticated, service_role;
grant execute on function app.usage_excess to authenticated;
