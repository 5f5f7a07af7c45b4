-- price_shares(usage, of the main bill) → the shares a call's tokens are billed with, such as {regional_processing:eu}
--
-- In the order in which they apply: the completion window of a background response, then the region that processed the
-- call. Another model's work (p_main false) has the region only. The window `soonest` is the usual one and no share.
create or replace function app.price_shares(p_usage jsonb, p_main boolean) returns text[]
language plpgsql immutable parallel safe
set search_path = ''
as $$
declare
    v_window text := lower(btrim(left(p_usage ->> 'completion_window', 80)));
    v_region text := lower(btrim(left(p_usage ->> 'region', 80)));
begin
    return array_remove(array[
        case when p_main and v_window not in ('', 'soonest') then 'completion_window:' || v_window end,
        case when v_region <> '' then 'regional_processing:' || v_region end], null);
end $$;

comment on function app.price_shares is
    'Dimension and qualifier of each share that the tokens of a call are billed with: completion window, region.';
revoke execute on function app.price_shares from public, anon, authenticated, service_role;
grant execute on function app.price_shares to authenticated;
