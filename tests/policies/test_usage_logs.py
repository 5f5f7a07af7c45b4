"""public.usage_logs: everyone in the organization reads; a call is settled once, a missing cost filled once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from checks import EVERYONE, allowed, append_only, only_people_read
from ledgers import add_call, add_open_call
from people import People

NOW = datetime.now(UTC)
PARTITION = NOW.strftime("private.usage_logs_%Y_%m")
FIXED = (
    "org_id = gen_random_uuid()",
    "project_id = gen_random_uuid()",
    "api_key_id = gen_random_uuid()",
    "id = gen_random_uuid()",
    "started_at = started_at + interval '1 s'",
    "deadline_at = now()",
    "upstream = 'openai'",
    "endpoint = '/v1'",
    "method = 'GET'",
    "end_user = 'x'",
    'tags = \'{"a": "b"}\'',
)
SETTLED = (
    "settled_at = now()",
    "status_code = 500",
    "latency_ms = 0",
    "ttft_ms = 0",
    "stream = true",
    "batch = true",
    "model_requested = 'x'",
    "upstream_request_id = 'x'",
    "upstream_object_id = 'x'",
    "state = 'open'",
)
COST = ("cost = 0", "cost = cost", "cost = null, cost_status = 'no_usage'", "cost_status = 'free'", "cost_lines = '[]'",
        "usage = '{}'", "tokens_in = 0", "model = 'x'", "service_tier = 'x'")  # fmt: skip


def change(people: People, table: str, call: UUID, what: str) -> None:
    people.conn.execute(f"update {table} set {what} where id = %s", [call])


@pytest.mark.parametrize(("who", "owner"), [("ada", "ada"), ("dev", "ada"), ("eve", "eve")])
def test_everyone_sees_the_own_organizations_calls_alone(people: People, who: str, owner: str) -> None:
    for name in ("ada", "eve"):
        add_call(people, name, NOW)
    with people.as_(who):
        assert [row["org_id"] for row in people.all("select * from public.usage_logs")] == [people.orgs[owner]]


def test_only_people_and_analysts_read_and_nobody_writes(people: People) -> None:
    add_call(people, "ada", NOW)
    only_people_read(people, "usage_logs", analysts=True)


def test_a_partition_is_no_way_around_it(people: People) -> None:
    add_call(people, "ada", NOW)
    for statement in (f"select * from {PARTITION}", f"delete from {PARTITION}", f"truncate {PARTITION}"):
        assert [who for who in EVERYONE if allowed(people, who, statement)] == []


@pytest.mark.parametrize("table", ["public.usage_logs", PARTITION])
def test_no_row_is_deleted_or_truncated_by_any_role(people: People, table: str) -> None:
    add_open_call(people, "ada", NOW)
    append_only(people, table)


@pytest.mark.parametrize("table", ["public.usage_logs", PARTITION])
@pytest.mark.parametrize("role", ["postgres", None])
def test_a_settled_call_with_a_cost_never_changes(people: People, table: str, role: str | None) -> None:
    call = add_call(people, "ada", NOW)
    people.conn.execute(f"set local role {role}" if role else "reset role")
    for what in (*FIXED, *SETTLED, *COST):
        people.refused("PT405", f"update {table} set {what} where id = %s", call)
    people.conn.execute("set role postgres")


@pytest.mark.parametrize("table", ["public.usage_logs", PARTITION])
def test_an_open_call_is_settled_once(people: People, table: str) -> None:
    call = add_open_call(people, "ada", NOW, end_user="u1", tags={"team": "web"})
    for what in (*FIXED, "status_code = 200", "cost = 1, cost_status = 'priced'", "model = 'x'"):
        people.refused("PT405", f"update {table} set {what} where id = %s", call)
    settle = "state = 'settled', settled_at = now(), cost = 1, cost_status = 'priced', status_code = 200, model = 'x'"
    for what in FIXED:
        people.refused("PT405", f"update {table} set {settle}, {what} where id = %s", call)
    change(people, table, call, settle)
    people.refused("PT405", f"update {table} set {settle} where id = %s", call)


@pytest.mark.parametrize("table", ["public.usage_logs", PARTITION])
def test_settling_adds_an_end_user_and_tags_where_the_open_call_had_none(people: People, table: str) -> None:
    settle = "state = 'settled', settled_at = now(), cost = 1, cost_status = 'priced'"
    call = add_open_call(people, "ada", NOW)
    change(people, table, call, f"{settle}, end_user = 'u1', tags = '{{\"team\": \"web\"}}'")
    for what in ("end_user = null", "tags = '{}'"):
        people.refused("PT405", f"update {table} set {what} where id = %s", call)


@pytest.mark.parametrize("table", ["public.usage_logs", PARTITION])
def test_a_cost_that_was_not_known_is_filled_once(people: People, table: str) -> None:
    call = add_call(people, "ada", NOW, cost=None, cost_status="unpriced_model")
    fill = "cost = 2, cost_status = 'priced', cost_lines = '[]', usage = '{}', tokens_in = 5, model = 'gpt-5'"
    for what in (*FIXED, *SETTLED):
        people.refused("PT405", f"update {table} set {fill}, {what} where id = %s", call)
    change(people, table, call, fill)
    assert people.one("select cost, tokens_in from public.usage_logs where id = %s", call) == {
        "cost": 2,
        "tokens_in": 5,
    }
    people.refused("PT405", f"update {table} set {fill} where id = %s", call)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cost": None},
        {"cost": 1, "cost_status": "no_usage"},
        {"cost": 0, "cost_status": "unpriced_model"},
        {"cost_status": "cheap"},
        {"cost_status": None},
        {"settled_at": None},
        {"upstream": "azure"},
        {"state": "closed"},
    ],
)
def test_a_row_whose_cost_and_status_contradict_each_other_does_not_get_in(
    people: People, wrong: dict[str, Any]
) -> None:
    with pytest.raises(Exception, match="check constraint"), people.conn.transaction():
        add_call(people, "ada", NOW, **wrong)
