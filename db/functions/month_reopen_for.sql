-- month_reopen_for(organization, first day of a month, note): reopens a closed month by a new row; the frozen row stays
create or replace function app.month_reopen_for(p_org_id uuid, p_month date, p_note text) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_note text := btrim(p_note, E' \t\r\n');
    v_id uuid;
begin
    perform from public.organizations o where o.id = p_org_id for no key update;
    if coalesce(v_note, '') = '' or length(v_note) > 2000 then
        raise sqlstate 'PT400' using message = 'say in a note why, in at most 2000 characters', detail = 'note_missing', column = 'note';
    elsif (select m.state from app.month_of(p_org_id, p_month) m) is distinct from 'closed' then
        raise sqlstate 'PT409' using message = 'the month is not closed', detail = 'month_not_closed';
    end if;
    insert into public.month_closes (org_id, month, status, note, closed_by)
    values (p_org_id, p_month, 'reopened', v_note, auth.uid()) returning id into v_id;
    perform app.audit(p_org_id, 'month.reopened', v_id, jsonb_build_object('month', to_char(p_month, 'YYYY-MM'), 'note', v_note));
end $$;

comment on function app.month_reopen_for is 'Reopens a closed month of an organization, with a note that says why.';
-- No grant: for the operator, through flask books reopen, and part of app.month_reopen.
revoke execute on function app.month_reopen_for from public, anon, authenticated, service_role;
