"""app.end_sessions: how a session over WebSocket ended, noted once; and app.open_calls, which begins it."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from checks import executors, rows_read
from people import People

ENDED = {"model": "gpt-realtime-2", "upstream_session_id": "sess_1", "close_code": 1000, "closed_by": "client"}


def begin(people: People, name: str = "ada", **changes: Any) -> dict[str, Any]:
    message = people.open_message(name, endpoint="/v1/realtime", method="WEBSOCKET", begins_session=True) | changes
    return message | people.open_calls(message)[0]


def end(people: People, *sessions: dict[str, Any]) -> list[str]:
    messages = [{"n": n} | session for n, session in enumerate(sessions)]
    with people.as_role("spendai_proxy"):
        rows = people.all("select * from app.end_sessions(%s::jsonb) order by n", json.dumps(messages))
    return [row["outcome"] for row in rows]


def row(people: People, session: dict[str, Any]) -> dict[str, Any] | None:
    return people.one("select * from public.websocket_sessions where id = %s", session["id"])


def test_a_session_is_found_by_its_id_also_by_a_plan_made_while_there_were_few(people: People) -> None:
    for _ in range(8):  # from the sixth run on a statement uses its kept plan
        end(people, {"id": begin(people)["id"]} | ENDED)
    people.open_calls(*(people.open_message("ada", begins_session=True) for _ in range(500)))
    last, before = begin(people)["id"], rows_read(people, "public.websocket_sessions")
    assert end(people, {"id": last} | ENDED) == ["ended"]
    assert rows_read(people, "public.websocket_sessions") - before < 5


def test_a_session_is_begun_with_its_key_and_writes_no_call(people: People) -> None:
    session = begin(people)
    assert session["outcome"] == "opened"
    found = row(people, session)
    assert (found["org_id"], found["endpoint"], found["model_requested"]) == (
        people.orgs["ada"], "/v1/realtime", session["model"])  # fmt: skip
    assert found["ended_at"] is None
    assert people.one("select count(*) as n from public.usage_logs")["n"] == 0


def test_a_session_with_a_wrong_key_is_not_begun(people: People) -> None:
    session = begin(people, key_hash="00" * 32)
    assert (session["outcome"], row(people, session)) == ("invalid_key", None)


def test_each_session_of_a_batch_is_ended_once(people: People) -> None:
    first, second = begin(people), begin(people)
    gone = people.now_id()["id"]
    assert end(people, {"id": first["id"]} | ENDED, {"id": gone} | ENDED) == ["ended", "already"]
    assert end(people, {"id": first["id"]} | ENDED | {"close_code": 1011}, {"id": second["id"]} | ENDED) == [
        "already", "ended"]  # fmt: skip
    found = row(people, first)
    assert {name: found[name] for name in ENDED} == ENDED


def test_who_closed_it_is_one_of_three(people: People) -> None:
    session = begin(people)
    with pytest.raises(psycopg.errors.CheckViolation):
        end(people, {"id": session["id"]} | ENDED | {"closed_by": "somebody"})


def test_a_call_in_a_session_keeps_its_id_and_the_sessions_provider_key(people: People) -> None:
    session = begin(people)
    version = people.now_id()["id"]
    call = people.open_message("ada", session_id=session["id"], provider_key_id=version)
    people.open_calls(call)
    found = people.one("select session_id, provider_key_id from public.usage_logs where id = %s", call["id"])
    assert {name: str(value) for name, value in found.items()} == {
        "session_id": session["id"],
        "provider_key_id": version,
    }


def test_only_the_gateway_may_end_a_session(db: psycopg.Connection) -> None:
    assert executors(db, "end_sessions") == {"spendai_proxy"}
