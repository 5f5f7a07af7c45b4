"""app.settle_alone: a call settled by itself gets the same row as one in a batch, or is left to settle_calls."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from checks import executors
from people import People
from totals import differences

FORM = {"model_requested": "whisper-1", "end_user": "late", "tags": {"from": "metadata"}, "stream": True, "batch": True}
USED = {"prompt_tokens": 9000, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 8000}}
ENDS = [
    {},
    {"usage": USED | {"region": "eu"}, "region": "eu", "service_tier": "priority", "warning": "w"},
    {"usage": {"input_tokens": 7, "output_tokens": 1}, "endpoint": "/v1/responses", "tools": {"web_search_calls": 2}},
    {"outcome": "error", "status_code": 429, "usage": None, "model": None},
    {"outcome": "no_usage", "status_code": 504, "usage": None, "openai_project": "proj_1"},
    {"usage": "garbage", "service_tier": None},
    {"model": "gpt-99-turbo", "model_requested": "gpt-99-turbo"},
    {"model": None, "endpoint": "/v1/audio/transcriptions", "usage": {"type": "duration", "seconds": 61}} | FORM,
    {"endpoint": "/v1/moderations", "usage": None, "upstream_object_id": "modr-1", "ttft_ms": None},
    {"method": "DELETE", "endpoint": "/v1/responses/{response_id}", "usage": USED},
]
OWN = {"id", "started_at", "deadline_at", "settled_at"}
LEFT = [
    {"makes": True}, {"outcome": "pending"}, {"method": "GET"}, {"endpoint": "/v1/responses/{response_id}/cancel"},
    {"seen_as": "resp_1", "side": False},
]  # fmt: skip


def settled_by_itself(people: People, message: dict[str, Any]) -> bool:
    return people.one("select app.settle_alone(%s::jsonb) as settled", json.dumps(message))["settled"]


def test_its_row_is_the_same_as_that_of_a_call_in_a_batch(people: People) -> None:
    alone, batched = ([people.open_message("ada", tags={"team": "a"}) for _ in ENDS] for _ in range(2))
    people.open_calls(*alone, *batched)
    for opened, changes in zip(alone, ENDS, strict=True):
        assert settled_by_itself(people, people.settle_message("ada", opened) | changes)
    messages = [people.settle_message("ada", opened) | end for opened, end in zip(batched, ENDS, strict=True)]
    assert {row["outcome"] for row in people.settle_calls(*messages)} == {"settled"}
    query = "select to_jsonb(u) as row from public.usage_logs u where id = %s"
    for one, other, changes in zip(alone, batched, ENDS, strict=True):
        rows = [people.one(query, opened["id"])["row"] for opened in (one, other)]
        first, second = ({name: value for name, value in row.items() if name not in OWN} for row in rows)
        assert first == second and first["state"] == "settled", changes
    assert differences(people) == []


@pytest.mark.parametrize("changes", LEFT)
def test_a_call_that_may_concern_another_one_is_left(people: People, changes: dict[str, Any]) -> None:
    opened = people.open_message("ada")
    people.open_calls(opened)
    assert not settled_by_itself(people, people.settle_message("ada", opened) | changes)
    assert people.one("select state from public.usage_logs where id = %s", opened["id"])["state"] == "open"


def test_a_call_without_an_open_row_is_left(people: People) -> None:
    settled = people.call("ada")
    again = people.settle_message("ada", people.open_message("ada") | people.now_id())
    assert not settled_by_itself(people, again)
    assert not settled_by_itself(people, again | {"id": str(settled["id"]), "started_at": str(settled["started_at"])})
    assert not settled_by_itself(people, {"id": str(uuid4()), "outcome": "error"})


def test_nobody_but_the_owner_may_run_it(db) -> None:
    assert executors(db, "settle_alone") == set()
