"""app.settle_calls: every call is priced and settled exactly once."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from checks import blocks_read, executors
from people import People


@pytest.fixture
def opened(people: People) -> dict[str, Any]:
    """The message of an open call of Ada's."""
    message = people.open_message("ada", end_user="user-7", tags={"team": "search"})
    people.open_calls(message)
    return message


def row_of(people: People, message: dict[str, Any]) -> dict[str, Any] | None:
    return people.one("select * from public.usage_logs where id = %s", message["id"])


def settle(people: People, message: dict[str, Any]) -> str:
    return people.settle_calls(message)[0]["outcome"]


def test_a_complete_answer_is_priced_to_the_last_digit_and_closed(people: People, opened: dict[str, Any]) -> None:
    usage = {
        "prompt_tokens": 1000, "completion_tokens": 501, "prompt_tokens_details": {"cached_tokens": 400},
        "completion_tokens_details": {"reasoning_tokens": 100},
    }  # fmt: skip
    assert settle(people, people.settle_message("ada", opened, usage=usage, ttft_ms=None)) == "settled"
    row = row_of(people, opened)
    # gpt-4o-mini: 0.15, 0.075 (cached) and 0.60 dollars for a million tokens
    assert row["cost"] == (600 * Decimal("0.15") + 400 * Decimal("0.075") + 501 * Decimal("0.6")) / 1_000_000
    assert (row["state"], row["cost_status"], row["status_code"], row["latency_ms"]) == ("settled", "priced", 200, 120)
    assert (row["tokens_in"], row["tokens_cached"], row["tokens_out"], row["tokens_reasoning"]) == (1000, 400, 501, 100)
    assert (row["model"], row["service_tier"], row["ttft_ms"]) == ("gpt-4o-mini-2024-07-18", "default", None)
    assert (row["upstream_request_id"], row["upstream_object_id"]) == ("req_1", "chatcmpl-1")
    assert (row["end_user"], row["tags"], row["usage"]) == ("user-7", {"team": "search"}, usage)
    assert sum(Decimal(str(line["cost"])) for line in row["cost_lines"]) == row["cost"]
    assert row["settled_at"] >= row["started_at"]


def test_a_second_message_changes_nothing(people: People, opened: dict[str, Any]) -> None:
    message = people.settle_message("ada", opened)
    assert settle(people, message) == "settled"
    before = row_of(people, opened)
    assert settle(people, message) == "already"
    assert settle(people, message | {"status_code": 500, "outcome": "error", "usage": None}) == "already"
    assert row_of(people, opened) == before


def test_a_row_that_was_lost_is_written_whole_from_the_message(people: People, opened: dict[str, Any]) -> None:
    assert settle(people, people.settle_message("ada", opened)) == "settled"
    lost = people.open_message("ada", end_user="user-7", tags={"team": "search"})
    assert settle(people, people.settle_message("ada", lost)) == "missing"
    own = {"id", "started_at", "deadline_at", "settled_at"}
    wanted, written = row_of(people, opened), row_of(people, lost)
    assert {k: v for k, v in written.items() if k not in own} == {k: v for k, v in wanted.items() if k not in own}
    assert written["deadline_at"] - written["started_at"] == wanted["deadline_at"] - wanted["started_at"]
    assert settle(people, people.settle_message("ada", lost)) == "already"


def test_a_call_that_was_never_sent_nor_opened_gets_no_row(people: People) -> None:
    lost = people.open_message("ada")
    unknown = {
        "org_id": None,
        "project_id": None,
        "api_key_id": None,
        "upstream": None,
        "outcome": "error",
        "usage": None,
    }
    assert settle(people, people.settle_message("ada", lost) | unknown) == "absent"
    assert row_of(people, lost) is None


def test_a_call_of_an_organization_that_is_not_here_gets_no_row_and_is_told(people: People) -> None:
    """Its message comes from the spool of a gateway that served another database, or the organization was removed."""
    lost, known = people.open_message("ada"), people.open_message("ada")
    stranger = people.settle_message("ada", lost) | {"org_id": str(uuid4())}
    assert settle(people, stranger) == "unknown"
    both = people.settle_calls(stranger, people.settle_message("ada", known))
    assert [row["outcome"] for row in sorted(both, key=lambda row: row["n"])] == ["unknown", "missing"]
    assert row_of(people, lost) is None


def test_a_call_that_was_opened_but_never_sent_is_closed_as_free_error(people: People, opened: dict[str, Any]) -> None:
    little = {"n": 0, "id": opened["id"], "started_at": opened["started_at"], "outcome": "error", "status_code": 503}
    assert settle(people, little) == "settled"
    row = row_of(people, opened)
    assert (row["cost"], row["cost_status"], row["status_code"]) == (0, "error", 503)
    assert (row["org_id"], row["stream"], row["batch"], row["model_requested"]) == (
        people.orgs["ada"],
        False,
        False,
        "gpt-4o-mini",
    )


@pytest.mark.parametrize(("changes", "cost", "status"), [
    ({"outcome": "error", "status_code": 429, "usage": None}, 0, "error"),
    ({"outcome": "no_usage", "status_code": 504, "usage": None}, None, "no_usage"),
    ({"usage": None}, None, "no_usage"),
    ({"method": "GET", "endpoint": "/v1/models", "model_requested": None, "model": None, "usage": None}, 0, "free"),
    ({"method": "GET", "endpoint": "/v1/responses/resp_1", "usage": {"input_tokens": 9, "output_tokens": 9}},
     0, "free"),
    ({"model": "gpt-99-turbo", "model_requested": "gpt-99-turbo"}, None, "unpriced_model"),
])  # fmt: skip
def test_every_way_a_call_can_end_has_its_status_and_unknown_is_never_zero(
    people: People, opened: dict[str, Any], changes: dict[str, Any], cost: int | None, status: str
) -> None:
    assert settle(people, people.settle_message("ada", opened, **changes)) == "settled"
    row = row_of(people, opened)
    assert (row["state"], row["cost"], row["cost_status"]) == ("settled", cost, status)


def test_a_message_cannot_move_a_call_to_another_organization_or_key(people: People, opened: dict[str, Any]) -> None:
    foreign = people.settle_message("eve", opened, upstream="openai", endpoint="/v1/embeddings", end_user="x", tags={})
    assert settle(people, foreign) == "settled"
    row = row_of(people, opened)
    assert (row["org_id"], row["project_id"]) == (people.orgs["ada"], people.projects["ada"])
    assert row["api_key_id"] == people.keys["ada"].id
    assert (row["upstream"], row["endpoint"], row["end_user"]) == ("sandbox", "/v1/chat/completions", "user-7")


def test_what_the_open_row_did_not_know_yet_of_the_request_comes_with_the_settle(people: People) -> None:
    """The form of a multipart request is read after the row was opened."""
    opened = people.open_message("ada", model=None, endpoint="/v1/audio/transcriptions")
    people.open_calls(opened)
    known = {"end_user": "user-7", "tags": {"team": "search"}, "model_requested": "whisper-1"}
    assert settle(people, people.settle_message("ada", opened, **known)) == "settled"
    row = row_of(people, opened)
    assert {name: row[name] for name in known} == known
    labels = people.all("select kind, label, calls from public.daily_labels order by 1, 2")
    assert [(row["kind"], row["label"], row["calls"]) for row in labels] == [
        ("end_user", "user-7", 1), ("tag", "team=search", 1), ("tagged", "", 1)
    ]  # fmt: skip


def test_what_the_open_row_knew_is_not_forgotten_by_a_settle_without_it(people: People, opened: dict[str, Any]) -> None:
    assert settle(people, people.settle_message("ada", opened, end_user=None, tags=None)) == "settled"
    row = row_of(people, opened)
    assert (row["end_user"], row["tags"]) == ("user-7", {"team": "search"})


def test_a_batch_answers_each_of_its_calls(people: People, opened: dict[str, Any]) -> None:
    theirs, lost, done = people.open_message("eve"), people.open_message("ada"), people.open_message("ada")
    people.open_calls(theirs, done)
    settle(people, people.settle_message("ada", done))
    answers = people.settle_calls(
        people.settle_message("ada", opened), people.settle_message("eve", theirs),
        people.settle_message("ada", lost), people.settle_message("ada", done),
    )  # fmt: skip
    assert [(row["n"], row["outcome"]) for row in answers] == [
        (0, "settled"),
        (1, "settled"),
        (2, "missing"),
        (3, "already"),
    ]
    assert row_of(people, theirs)["org_id"] == people.orgs["eve"]


def test_the_same_call_twice_in_one_batch_is_settled_once(people: People, opened: dict[str, Any]) -> None:
    message = people.settle_message("ada", opened)
    assert sorted(row["outcome"] for row in people.settle_calls(message, message)) == ["already", "settled"]
    lost = people.settle_message("ada", people.open_message("ada"))
    assert {row["outcome"] for row in people.settle_calls(lost, lost)} <= {"already", "missing"}
    assert people.one("select count(*) as n from public.usage_logs where id = %s", lost["id"])["n"] == 1


@pytest.mark.parametrize("change", [
    {"status_code": "fine"}, {"latency_ms": 10**12}, {"usage": "\x00"}, {"id": "x"}, {"id": None},
])  # fmt: skip
def test_a_poison_row_raises_and_none_of_its_batch_is_settled(
    people: People, opened: dict[str, Any], change: dict[str, Any]
) -> None:
    other = people.settle_message("ada", people.open_message("ada"))
    batch = [people.settle_message("ada", opened) | {"n": 0}, other | {"n": 1} | change]
    with people.as_role("spendai_proxy"), pytest.raises(psycopg.Error) as caught, people.conn.transaction():
        people.conn.execute("select * from app.settle_calls(%s::jsonb)", [json.dumps(batch)])
    assert caught.value.sqlstate[:2] in ("22", "23")
    assert row_of(people, opened)["state"] == "open"
    assert settle(people, batch[0]) == "settled"


@pytest.mark.parametrize("usage", [
    {}, [], "many", 7, {"prompt_tokens": "x"}, {"prompt_tokens": -5}, {"prompt_tokens": 1e22},
    {"prompt_tokens": 10**30}, {"prompt_tokens": True}, {"prompt_tokens": {"a": 1}},
    {"prompt_tokens": 10, "prompt_tokens_details": [1]},
])  # fmt: skip
def test_whatever_usage_openai_sends_the_call_is_settled_and_never_free_by_accident(
    people: People, opened: dict[str, Any], usage: Any
) -> None:
    assert settle(people, people.settle_message("ada", opened, usage=usage)) == "settled"
    row = row_of(people, opened)
    assert row["state"] == "settled" and row["usage"] == usage
    assert row["cost"] is None or row["cost"] > 0
    assert row["tokens_in"] is None or 0 <= row["tokens_in"] <= 10**12


def test_an_empty_batch_is_nothing(people: People) -> None:
    assert people.settle_calls() == []


def test_only_the_gateway_may_run_it(db: psycopg.Connection, people: People) -> None:
    assert executors(db, "settle_calls") == {"spendai_proxy"}
    with people.as_("ada"):
        people.refused("42501", "select * from app.settle_calls(%s::jsonb)", json.dumps([{"id": str(uuid4())}]))


def test_settling_is_never_worth_compiling(people: People) -> None:
    """Up to Postgres 17, a plan type that is switched off but used costs so much that JIT would start."""
    settings = people.one("select proconfig from pg_proc where proname = 'settle_calls'")["proconfig"]
    assert "jit=off" in settings


WHERE = {"openai_project": "proj_1", "region": "eu"}


def test_region_and_openai_project_are_kept_also_without_usage(people):
    row = people.call("ada", **WHERE, usage=None, outcome="no_usage")
    assert {name: row[name] for name in WHERE} == WHERE
    older = people.call("ada")  # the message of a gateway, or in a spool file, of before these columns
    assert {name: older[name] for name in WHERE} == dict.fromkeys(WHERE)


def test_a_row_that_a_failover_lost_gets_the_version_of_its_key_from_the_message(people):
    lost, version = people.open_message("ada"), str(uuid4())
    message = people.settle_message("ada", lost, provider_key_id=version, **WHERE)
    assert people.settle_calls(message)[0]["outcome"] == "missing"
    row = people.one("select * from public.usage_logs where id = %s", lost["id"])
    assert (str(row["provider_key_id"]), row["region"]) == (version, "eu")


def test_a_settle_never_changes_the_version_that_the_open_recorded(people):
    assert people.call("ada", provider_key_id=str(uuid4()))["provider_key_id"] is None


def test_tags_that_became_known_later_stand_beside_those_of_the_open_call(people, opened):
    message = people.settle_message(
        "ada", opened, tags={"team": "other", "env": "prod"}, warning="metadata: 1 left out"
    )
    assert settle(people, message) == "settled"
    row = row_of(people, opened)
    assert (row["tags"], row["warning"]) == ({"team": "search", "env": "prod"}, "metadata: 1 left out")
    totals = people.all("select label from public.daily_labels where kind = 'tag' order by label")
    assert [line["label"] for line in totals] == ["env=prod", "team=search"]


def test_a_message_without_tags_or_warning_leaves_those_of_the_open_call(people, opened):
    assert settle(people, people.settle_message("ada", opened, tags=None)) == "settled"
    assert (row_of(people, opened)["tags"], row_of(people, opened)["warning"]) == ({"team": "search"}, None)


OPENAI_IDS = r"private\.usage_logs_.*upstream_(object|request)_id"


def test_equal_ids_do_not_make_calls_slower_and_slower(people: People) -> None:
    """Stand-ins for OpenAI give each answer the same ids; each call must still read only a few blocks to note them."""
    read, batch = [], 500
    for _ in range(8):
        opened = [people.open_message("ada") for _ in range(batch)]
        people.open_calls(*opened)
        before = blocks_read(people, OPENAI_IDS)
        people.settle_calls(*(people.settle_message("ada", message) for message in opened))
        read.append((blocks_read(people, OPENAI_IDS) - before) / batch)
    assert 0 < read[0] < 6
    assert read[-1] < 6
