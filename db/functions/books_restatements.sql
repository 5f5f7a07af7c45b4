-- books_restatements(day) → every complete fetch that has the day: what OpenAI said then; the newest first, which counts
--
-- changed: dollars by which it differs from the fetch before; null for the first one.
create or replace function app.books_restatements(p_day date)
returns table (fetch_id uuid, at timestamptz, source text, whole boolean, lines integer, amount numeric, changed numeric)
language sql stable
set search_path = ''
as $$
    select d.fetch_id, f.at, f.source, d.whole, d.lines, d.amount, d.amount - lag(d.amount) over (order by d.n)
    from public.openai_days d join public.openai_fetches f on f.id = d.fetch_id
    where d.org_id = (select app.current_org_id()) and d.day = p_day
    order by d.n desc
$$;

comment on function app.books_restatements is 'What each fetch of OpenAI''s books said about a day.';
revoke execute on function app.books_restatements from public, anon, authenticated, service_role;
grant execute on function app.books_restatements to authenticated;
