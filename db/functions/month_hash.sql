-- month_hash(row of month_closes) → SHA-256, in hexadecimal, of everything that was frozen in it
--
-- Amounts without trailing zeros, the moment in seconds since 1970 and keys in jsonb's order: the same row has the same hash on
-- every server, also after a backup was restored.
create or replace function app.month_hash(p_close public.month_closes) returns text
language sql stable
set search_path = ''
as $$
    select encode(sha256(convert_to(jsonb_build_object(
        'id', p_close.id, 'org_id', p_close.org_id, 'month', p_close.month, 'openai', trim_scale(p_close.openai)::text,
        'ledger', trim_scale(p_close.ledger)::text, 'unexplained', trim_scale(p_close.unexplained)::text,
        'invoice', trim_scale(p_close.invoice)::text, 'named', p_close.named, 'report', p_close.report,
        'fetch_ids', to_jsonb(p_close.fetch_ids), 'note', p_close.note, 'closed_by', p_close.closed_by,
        'at', extract(epoch from p_close.at)::text)::text, 'utf8')), 'hex')
$$;

comment on function app.month_hash is 'SHA-256 of a closed month: of its sums, its report, its fetches, and who closed it when and with which note.';
-- No grant: part of app.month_of and app.month_close_for.
revoke execute on function app.month_hash from public, anon, authenticated, service_role;
