-- reconciliation_lines: the named parts of each day's difference between OpenAI's bill and the ledger
--
-- With the reader's own rights: row level security decides. Only append columns, never reorder: analysts' queries use them.
create or replace view public.reconciliation_lines with (security_invoker = true) as
select
    p.org_id, p.day, p.n, p.line, p.reason, r.explained, p.amount, p.quantity, p.openai_quantity, p.openai, p.ledger_quantity, p.ledger,
    p.model, p.openai_key_id, k.name as openai_key, p.openai_project_id, q.name as openai_project, p.detail
from public.reconciled_parts p
join public.part_reasons r using (reason)
left join public.openai_keys k on k.org_id = p.org_id and k.id = p.openai_key_id
left join public.openai_projects q on q.org_id = p.org_id and q.id = p.openai_project_id;

comment on view public.reconciliation_lines is
    'Named parts of the difference of each day. Over a day, amount adds up to the difference, openai and ledger to the two sides.';
comment on column public.reconciliation_lines.org_id is 'The organization.';
comment on column public.reconciliation_lines.day is 'Day, UTC.';
comment on column public.reconciliation_lines.n is 'Place in the day, the largest amount first.';
comment on column public.reconciliation_lines.line is 'Line of the bill as the ledger names it; as OpenAI wrote it where it is not compared.';
comment on column public.reconciliation_lines.reason is 'Why the two differ: see part_reasons and docs/reconciliation.md; agrees: they do not.';
comment on column public.reconciliation_lines.explained is 'The reason says where the dollars come from.';
comment on column public.reconciliation_lines.amount is 'US dollars that OpenAI has more than the ledger by this part.';
comment on column public.reconciliation_lines.quantity is 'Quantity of the part.';
comment on column public.reconciliation_lines.openai_quantity is 'Quantity of the whole line at OpenAI; in its first part only, so that rows can be added up.';
comment on column public.reconciliation_lines.openai is 'US dollars of the whole line at OpenAI; in its first part only.';
comment on column public.reconciliation_lines.ledger_quantity is 'Quantity of the whole line in the ledger; in its first part only.';
comment on column public.reconciliation_lines.ledger is 'US dollars of the whole line in the ledger; in its first part only.';
comment on column public.reconciliation_lines.model is 'Price model of the line.';
comment on column public.reconciliation_lines.openai_key_id is 'OpenAI''s id of the key, where the line is of one key.';
comment on column public.reconciliation_lines.openai_key is 'Its name at OpenAI.';
comment on column public.reconciliation_lines.openai_project_id is 'OpenAI''s id of the project, where the line is of one project.';
comment on column public.reconciliation_lines.openai_project is 'Its name.';
comment on column public.reconciliation_lines.detail is 'ratio: OpenAI''s price over ours. calls: ids of the calls that OpenAI''s minutes prove.';
revoke all on public.reconciliation_lines from public, anon, authenticated, service_role;
grant select on public.reconciliation_lines to authenticated, spendai_analyst;
