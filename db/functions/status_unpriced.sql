-- status_unpriced(outcome, method, endpoint) → status of a call that no price is looked up for, or null when one is
--
-- The gateway says how the call ended. Reading something, or stopping it, is not paid again: it was paid for when it was made.
create or replace function app.status_unpriced(p_outcome text, p_method text, p_endpoint text) returns text
language sql immutable
set search_path = ''
as $$
    select case
        when p_outcome = 'error' then 'error'
        when p_outcome = 'no_usage' then 'no_usage'
        when app.is_sighting(p_method, p_endpoint) or p_endpoint = '/v1/responses/input_tokens' then 'free'
        when p_outcome = 'pending' then 'pending_object'
    end
$$;

comment on function app.status_unpriced is 'Cost status of a call that is not priced by its usage: error, no_usage, free or pending_object; else null.';
-- No grant: part of settle_calls.
revoke execute on function app.status_unpriced from public, anon, authenticated, service_role;
