-- part_reasons: why OpenAI's bill and the ledger may differ, in the order in which people ask for it; the one list of reasons
create or replace view public.part_reasons with (security_invoker = true) as
select v.n, v.reason, v.explained, v.says
from (
    values
        (1, 'outside_key', true, 'Spent with an OpenAI key that SpendAI does not hold.'),
        (2, 'surface', true, 'Spent at OpenAI without a key: dashboard, evals, fine-tuning, assistants.'),
        (3, 'in_doubt', true, 'Calls in doubt, whose use OpenAI''s minutes show.'),
        (4, 'no_usage', true, 'Calls whose answer named no usage; OpenAI''s minutes show it.'),
        (5, 'unpriced', true, 'Calls without a price in SpendAI, at OpenAI''s price.'),
        (6, 'free_tokens', true, 'OpenAI billed nothing for tokens that have a price.'),
        (7, 'own_rate', true, 'OpenAI bills all lines of the model at the same share of the price in SpendAI.'),
        (8, 'price_date', true, 'The price changed about that day.'),
        (9, 'day_boundary', true, 'Calls that ended on another day than they began.'),
        (10, 'correction', true, 'Corrections that were booked in SpendAI.'),
        (11, 'closed_by_hand', true, 'Costs that a person typed in.'),
        (12, 'rounding', true, 'Less than a millionth of a dollar.'),
        (13, 'agrees', true, 'No difference.'),
        (14, 'price_differs', false, 'OpenAI''s price is another one than SpendAI''s.'),
        (15, 'missing_in_ledger', false, 'OpenAI billed what SpendAI has no call for.'),
        (16, 'missing_at_openai', false, 'SpendAI has calls that OpenAI did not bill.'),
        (17, 'quantity_unexplained', false, 'OpenAI counted more, or less, than SpendAI.'),
        (18, 'no_quantity', false, 'OpenAI names dollars without a quantity.'),
        (19, 'unknown_line', false, 'A line of OpenAI''s bill whose name is not known.')
) as v (n, reason, explained, says);

comment on view public.part_reasons is
    'Reasons for differences between OpenAI''s bill and the ledger: reason of reconciliation_lines.';
comment on column public.part_reasons.n is 'Order in which people ask for them.';
comment on column public.part_reasons.reason is 'The reason, one word.';
comment on column public.part_reasons.explained is 'It says where the dollars come from, so that nothing remains to be found.';
comment on column public.part_reasons.says is 'What it means, in one sentence.';
revoke all on public.part_reasons from public, anon, authenticated, service_role;
grant select on public.part_reasons to authenticated, spendai_analyst;
