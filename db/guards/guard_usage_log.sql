-- guard_usage_log(): trigger of usage_logs; lets through two kinds of update and refuses everything else, by any role
--
-- 1. Settling: an open call becomes settled. It may set the columns named below; an end user only where there was none, and tags
--    beside those that the row has.
-- 2. Filling: a settled call whose cost is null gets what was not known: cost, usage, tokens, model, tier and region.
--
-- A row goes only with its whole organization (app.organization_due).
--
-- All other columns must stay as they are. Only the columns that may change are named: a column that is added to the table
-- later is protected until somebody adds it here.
create or replace function private.guard_usage_log() returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_expected record := old;  -- the row as it was, with the changes that are allowed
begin
    if tg_op = 'DELETE' then
        if app.organization_due(old.org_id) then
            return old;  -- the whole organization is removed
        end if;
    end if;
    if tg_op = 'UPDATE' and new.state = 'settled' and (old.state = 'open' or old.cost is null) then
        v_expected.cost := new.cost;
        v_expected.cost_status := new.cost_status;
        v_expected.cost_lines := new.cost_lines;
        v_expected.usage := new.usage;
        v_expected.tools := new.tools;
        v_expected.model := new.model;
        v_expected.service_tier := new.service_tier;
        v_expected.tokens_in := new.tokens_in;
        v_expected.tokens_out := new.tokens_out;
        v_expected.tokens_cached := new.tokens_cached;
        v_expected.tokens_cache_write := new.tokens_cache_write;
        v_expected.tokens_reasoning := new.tokens_reasoning;
        v_expected.tokens_audio_in := new.tokens_audio_in;
        v_expected.tokens_audio_out := new.tokens_audio_out;
        v_expected.region := coalesce(old.region, new.region);
        if old.state = 'open' then
            v_expected.state := new.state;
            v_expected.settled_at := new.settled_at;
            v_expected.status_code := new.status_code;
            v_expected.latency_ms := new.latency_ms;
            v_expected.ttft_ms := new.ttft_ms;
            v_expected.stream := new.stream;
            v_expected.batch := new.batch;
            v_expected.model_requested := new.model_requested;
            v_expected.upstream_request_id := new.upstream_request_id;
            v_expected.upstream_object_id := new.upstream_object_id;
            v_expected.openai_project := new.openai_project;
            v_expected.end_user := coalesce(old.end_user, new.end_user);
            v_expected.tags := case when new.tags @> old.tags then new.tags else old.tags end;
            v_expected.warning := new.warning;
        end if;
        if v_expected *= new then  -- all columns, byte by byte: the fastest whole-row comparison
            return new;
        end if;
    end if;
    raise sqlstate 'PT405' using message = 'a settled call cannot be changed or deleted', detail = 'append_only';
end $$;

comment on function private.guard_usage_log is
    'Trigger: a call is settled once, a missing cost is filled once; no other update or delete, by any role.';
-- No grant: triggers need none.
revoke execute on function private.guard_usage_log from public, anon, authenticated, service_role;
