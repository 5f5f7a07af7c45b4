-- books_share(from, until) → of each day of OpenAI's books, the dollars that went through SpendAI and those that did not
--
-- through: lines of keys that are linked with a provider key. outside: of other keys. surface: of uses without a key.
-- through + outside + surface = openai. share: through / openai; null for a day without dollars, or where a credit
-- makes through, or the rest, less than 0. p_until is not included.
create or replace function app.books_share(p_from date, p_until date)
returns table (day date, openai numeric, through numeric, outside numeric, surface numeric, share numeric)
language sql stable
set search_path = ''
as $$
    select d.day, d.openai, d.openai - s.outside - s.surface, s.outside, s.surface,
        case when s.outside + s.surface between 0 and d.openai
            then round((d.openai - s.outside - s.surface) / nullif(d.openai, 0), 6) end
    from public.reconciliation_days d
    cross join lateral (
        select coalesce(sum(p.amount) filter (where p.reason = 'outside_key'), 0) as outside,
            coalesce(sum(p.amount) filter (where p.reason = 'surface'), 0) as surface
        from public.reconciled_parts p where p.org_id = d.org_id and p.day = d.day
    ) s
    where d.org_id = (select app.current_org_id()) and d.day >= p_from and d.day < p_until
    order by d.day
$$;

comment on function app.books_share is 'How much of what OpenAI billed went through SpendAI, by day.';
revoke execute on function app.books_share from public, anon, authenticated, service_role;
grant execute on function app.books_share to authenticated;
