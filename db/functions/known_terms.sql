-- known_terms(question, moment) → app.price_terms of a call, found in a table where a call with an equal question left them
--
-- Finding the terms takes a sixth of settling a call that is alone. They are kept until prices or aliases change, or until the moment from
-- which the next price, of whatever model, is in force; of models that are in the price list only, because any text may be the name of an unknown one.
-- Not kept for calls that began more than an hour ago. One transaction at a time adds rows, and no other waits for it.
-- p_question: see terms_question_of.
create or replace function app.known_terms(p_question app.terms_question, p_at timestamptz) returns jsonb
language plpgsql
set search_path = ''
set enable_seqscan = off
set jit = off  -- see settle_calls
set plan_cache_mode = force_generic_plan  -- as in price_terms
as $$
declare
    c_most constant integer := 5000;  -- rows, and a few more: one new question in 64 looks
    q constant app.terms_question := p_question;
    v_key constant text := q::text;
    v_changes bigint;
    v_terms jsonb;
begin
    select k.terms into v_terms
    from private.known_terms k join private.price_changes c on c.n = k.price_changes
    where k.org_id = q.org_id and k.key = v_key and k.since <= p_at and p_at < k.until;
    if found then
        return v_terms;
    end if;

    select c.n into v_changes from private.price_changes c;  -- before the prices are read: a change meanwhile makes the row void
    v_terms := app.price_terms(q.org_id, q.endpoint, q.model, q.model_requested, q.size, q.others,
        app.price_tier_of(q.service_tier, q.batch), q.with_extras, q.input_limit, p_at);
    if q.org_id is null or v_terms ->> 'model' is null or p_at < clock_timestamp() - interval '1 hour' or length(v_key) > 1000 then
        return v_terms;
    end if;
    if pg_try_advisory_xact_lock(7263412, 0) then
        -- Counting the rows takes as long as settling ten calls, and where each call has a question of its own, each would do it.
        if hashtext(v_key) % 64 = 0 then
            if (select count(*) from private.known_terms) >= c_most then
                delete from private.known_terms;
            end if;
        end if;
        insert into private.known_terms as k (org_id, key, price_changes, since, until, terms)
        values (q.org_id, v_key, v_changes,
            coalesce((select max(p.valid_from) from public.model_prices p where p.valid_from <= p_at), '-infinity'),
            coalesce((select min(p.valid_from) from public.model_prices p where p.valid_from > p_at), 'infinity'), v_terms)
        on conflict (org_id, key) do update set price_changes = excluded.price_changes, since = excluded.since,
            until = excluded.until, terms = excluded.terms;
    end if;
    return v_terms;
end $$;

comment on function app.known_terms is
    'As app.price_terms; keeps what it finds for the next call with the same model, tier and so on.';
-- No grant: part of price_calls and settle_alone.
revoke execute on function app.known_terms from public, anon, authenticated, service_role;
