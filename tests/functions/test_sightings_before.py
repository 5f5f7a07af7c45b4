"""app.sightings_before: an object is billed also when its end was seen before the call that made it was settled."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest
from checks import blocks_read, executors
from people import People

USAGE = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}
LOOK = {"method": "GET", "endpoint": "/v1/responses/{response_id}"}


def version(people: People, own: bool) -> str:
    """The id of the OpenAI key of ada's calls: the install's, or from now on her own."""
    if own:
        with people.as_("ada"):
            people.one("select app.provider_key_set(null, 'c', 'wxyz', null, %s, false)", b"2")
    else:
        with people.as_role("spendai_proxy"):
            people.one("select app.install_key_version(false, '1', 'inst', 'https://api.test/v1')")
    return str(people.one("select id from public.provider_key_versions where until is null and org_id is null = %s",
                          not own)["id"])  # fmt: skip


def settle(people: People, opened: dict[str, Any], key: str, name: str = "ada", **changes: Any) -> dict[str, Any]:
    """Settle a call whose row is open; returns its row."""
    more = {"account": "install", "upstream": "openai", "provider_key_id": key, "upstream_object_id": "resp_1"}
    people.settle_calls(people.settle_message(name, opened, **(more | {"usage": USAGE} | changes)))
    return people.one("select * from usage_logs where id = %s", opened["id"])


def opened(people: People, key: str, name: str = "ada", **changes: Any) -> dict[str, Any]:
    message = people.open_message(name, **({"endpoint": "/v1/responses"} | changes | people.now_id()))
    people.open_calls(message | {"provider_key_id": key})
    return message


@pytest.mark.parametrize("window", [None, "2h"])
def test_an_end_that_was_seen_first_is_billed_once(people: People, window: str | None) -> None:
    key = version(people, own=False)
    made = opened(people, key)
    settle(people, opened(people, key, **LOOK), key, outcome="pending", usage={"region": "eu"})
    for _ in range(2):
        settle(people, opened(people, key, **LOOK), key, usage=USAGE | {"region": "eu"})
    extra = {"completion_window": window} if window else {}
    row = settle(people, made, key, outcome="pending", usage=extra or None)
    # gpt-4o-mini: 1,000 at $0.15 and 500 at $0.60 per million, 30 % less within two hours, wherever the end was seen
    assert row["cost"] == Decimal("0.00045") * (Decimal("0.7") if window else 1)
    assert (row["cost_status"], row["usage"]) == ("priced", USAGE | extra)
    assert people.one("select sum(cost) as s from usage_logs")["s"] == row["cost"]
    settle(people, made, key, outcome="pending", usage=None)  # sent again, because its answer was lost
    assert len(people.all("select * from cost_fills")) == 1


def test_seconds_of_a_video_are_found_too(people: People) -> None:
    key = version(people, own=False)
    made = opened(people, key, endpoint="/v1/videos", model="sora-2")
    look = opened(people, key, method="GET", endpoint="/v1/videos/{video_id}")
    settle(people, look, key, model="sora-2", usage=None, tools={"video_seconds": 8})
    row = settle(people, made, key, outcome="pending", model="sora-2", usage=None)
    assert row["cost"] == Decimal("0.8")


@pytest.mark.parametrize("other", ["object", "organization", "account", "unfinished", "its own usage", "container"])
def test_what_says_nothing_or_not_all_of_the_object_fills_nothing(people: People, other: str) -> None:
    key = version(people, own=False)
    made = opened(people, key)
    changes: dict[str, Any] = {
        "object": {"upstream_object_id": "resp_2"},
        "organization": {"name": "eve"},
        "unfinished": {"usage": {"region": "eu"}},
        "container": {"tools": {"web_search_calls": 1, "container_sessions:4g": 1}},
    }.get(other, {})
    seen_with = version(people, own=True) if other == "account" else key
    look = {} if other == "its own usage" else LOOK
    seen = opened(people, seen_with, changes.get("name", "ada"), **look)
    settle(people, seen, seen_with, **changes)
    row = settle(people, made, key, outcome="pending", usage=None)
    assert (row["cost"], row["cost_status"]) == (None, "pending_object")


def test_equal_ids_do_not_make_unfinished_objects_slower_and_slower(people: People) -> None:
    """A stand-in for OpenAI may give each background response the same id: its earlier calls are not read each time."""
    key = version(people, own=False)
    read = []
    for _ in range(4):
        made = [people.open_message("ada", endpoint="/v1/responses") for _ in range(50)]
        people.open_calls(*made)
        more = {"account": "install", "provider_key_id": key, "upstream_object_id": "resp_1", "outcome": "pending"}
        before = blocks_read(people, r"private\.usage_logs_.*upstream_object_id")
        people.settle_calls(*(people.settle_message("ada", message, **more, usage=None) for message in made))
        read.append((blocks_read(people, r"private\.usage_logs_.*upstream_object_id") - before) / 50)
    assert 0 < read[-1] < 4


def test_only_the_owner_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "sightings_before") == set()
