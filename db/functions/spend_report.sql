-- spend_report(from, to, by, side, filters, top) → everything a spend page shows, computed from one set of app.spend_cells
--
-- totals: the row of app.spend_totals. rows: app.spend_breakdown by p_by, at most p_top rows and the rest in one (null: all
-- rows). side: the same by p_side, five rows and the rest. bars: app.spend_bars, with a series for each coloured row.
create or replace function app.spend_report(
    p_from timestamptz, p_to timestamptz, p_by text, p_side text, p_filters jsonb, p_top integer
) returns table (totals jsonb, rows jsonb, side jsonb, bars jsonb)
language plpgsql stable
set search_path = ''
as $$
declare
    v_cells app.spend_cell[] := array(select c from app.spend_cells(p_from, p_to, p_by, p_side, p_filters) c);
    v_top text[];
begin
    totals := (select to_jsonb(t) from app.spend_totals(v_cells) t);
    select coalesce(jsonb_agg(b), '[]'), array_agg(b.id) filter (where b.series > 0) into rows, v_top
    from app.spend_breakdown(v_cells, p_by, false, p_top) b;
    side := (select coalesce(jsonb_agg(b), '[]') from app.spend_breakdown(v_cells, p_side, true, 5) b);
    bars := (select coalesce(jsonb_agg(b), '[]') from app.spend_bars(v_cells, p_from, p_to, v_top) b);
    return next;
end $$;

comment on function app.spend_report is
    'Totals, table, side table and bars of a period as JSON; p_by and p_side as for app.spend_cells.';
revoke execute on function app.spend_report from public, anon, authenticated, service_role;
grant execute on function app.spend_report to authenticated;
