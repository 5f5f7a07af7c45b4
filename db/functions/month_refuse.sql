-- month_refuse(row of app.month_of as JSON, note, invoice, confirmed): raises why a month cannot be closed; does nothing when it can
create or replace function app.month_refuse(p_state jsonb, p_note text, p_invoice numeric, p_confirm boolean) returns void
language plpgsql stable
set search_path = ''
as $$
declare
    v_missing integer := jsonb_array_length(p_state -> 'missing');
    v_changing integer := jsonb_array_length(p_state -> 'changing');
begin
    if p_state ->> 'state' = 'closed' then
        raise sqlstate 'PT409' using message = 'the month is closed already', detail = 'month_closed', hint = 'Reopen it first';
    elsif v_missing > 0 then
        raise sqlstate 'PT409' using detail = 'month_open', hint = 'Fetch OpenAI''s books again',
            message = format('OpenAI''s books lack %s of %s days, the first %s', v_missing, p_state ->> 'days', p_state -> 'missing' ->> 0);
    elsif (p_state ->> 'closes_on')::date > (now() at time zone 'utc')::date then
        raise sqlstate 'PT409' using detail = 'month_young',
            message = format('the month can be closed from %s (UTC) on, when OpenAI''s numbers of its last day are 3 days old', p_state ->> 'closes_on');
    elsif v_changing > 0 and not coalesce(p_confirm, false) then
        raise sqlstate 'PT409' using detail = 'month_changing', hint = 'Fetch OpenAI''s books again, or confirm that this does not matter',
            message = format('days that were fetched only once, or differ between their last two fetches: %s, the first %s', v_changing, p_state -> 'changing' ->> 0);
    elsif (p_state ->> 'ledger') is null or (p_state ->> 'compared')::integer < (p_state ->> 'days')::integer then
        raise sqlstate 'PT409' using message = 'the calls of the month were dropped before it was compared', detail = 'month_dropped';
    elsif (p_state ->> 'unexplained')::numeric <> 0 and p_note = '' then
        raise sqlstate 'PT400' using detail = 'note_missing', column = 'note',
            message = format('%s are not explained: say in a note why the month is closed all the same', app.dollars((p_state ->> 'unexplained')::numeric));
    elsif length(p_note) > 2000 then
        raise sqlstate 'PT400' using message = 'a note has at most 2000 characters', detail = 'note_missing', column = 'note';
    elsif not (p_invoice >= 0 and p_invoice < 1e12) then  -- also refuses NaN; null passes
        raise sqlstate 'PT400' using message = 'an invoice is at least 0 dollars', detail = 'invoice_invalid', column = 'invoice';
    end if;
end $$;

comment on function app.month_refuse is 'Raises the reason why a month cannot be closed.';
-- No grant: part of app.month_close_for.
revoke execute on function app.month_refuse from public, anon, authenticated, service_role;
