"""app.call_evidence: a call whose usage nobody knows, proven by one minute of OpenAI's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

from checks import executors
from openai_books import DAY, call, doubtful, fetch, linked_key, minute, moment
from people import People

MINI = "gpt-4o-mini-2024-07-18"
COUNTS = {"input_uncached_tokens": 1000, "output_tokens": 100}


def evidence(people: People, who: str = "ada") -> list[dict[str, Any]]:
    return people.all("select * from app.call_evidence(%s, %s)", people.orgs[who], DAY)


def test_one_request_in_the_minutes_of_a_call_in_doubt_is_that_call(people: People) -> None:
    key = linked_key(people)
    doubt = doubtful(people, key, moment("15:00:00"), MINI)
    silent = call(people, key, moment("17:00:00"), MINI, None, cost=None, cost_status="no_usage", seconds=70)
    made = fetch(people, {DAY: []})
    for clock in ("15:02:00", "17:01:00"):
        minute(people, made, moment(clock), MINI, **COUNTS)
    found = sorted(evidence(people), key=lambda row: row["started_at"])
    assert [(row["call_id"], row["reason"], row["cost"]) for row in found] == [
        (doubt, "in_doubt", D("0.00021")), (silent, "no_usage", D("0.00021"))]  # fmt: skip
    assert found[0]["minute"] == moment("15:02:00")


def proves_nothing(people: People) -> None:
    assert evidence(people) == []


def test_another_key_model_or_time_two_requests_or_two_minutes_prove_nothing(people: People) -> None:
    key = linked_key(people)
    doubtful(people, key, moment("15:00:00"), MINI)
    made = fetch(people, {DAY: []})
    proves_nothing(people)
    minute(people, made, moment("15:02:00"), MINI, key="key_laptop", **COUNTS)
    minute(people, made, moment("15:02:00"), "o3", **COUNTS)
    minute(people, made, moment("14:59:00"), MINI, **COUNTS)
    minute(people, made, moment("15:11:00"), MINI, **COUNTS)
    minute(people, made, moment("15:03:00"), MINI, requests=2, **COUNTS)
    proves_nothing(people)
    minute(people, made, moment("15:04:00"), MINI, **COUNTS)
    assert len(evidence(people)) == 1
    minute(people, made, moment("15:05:00"), MINI, **COUNTS)
    proves_nothing(people)


def test_a_minute_in_which_another_call_of_the_key_and_model_ran_proves_nothing(people: People) -> None:
    key = linked_key(people)
    doubtful(people, key, moment("15:00:00"), MINI)
    made = fetch(people, {DAY: []})
    minute(people, made, moment("15:02:00"), MINI, **COUNTS)
    call(people, key, moment("15:01:50"), "gpt-4o-mini", {"input_tokens": 5, "output_tokens": 5}, seconds=20)
    proves_nothing(people)


def test_the_newest_fetch_of_a_minute_counts_and_a_link_is_needed(people: People) -> None:
    key = linked_key(people)
    doubtful(people, key, moment("15:00:00"), MINI)
    minute(people, fetch(people, {DAY: []}), moment("15:02:00"), MINI, **COUNTS)
    minute(people, fetch(people, {DAY: []}), moment("15:02:00"), MINI, input_uncached_tokens=1, output_tokens=1)
    assert [row["usage"]["input_tokens"] for row in evidence(people)] == [1]
    people.conn.execute("update public.key_links set ended_at = now()")
    proves_nothing(people)


def test_a_call_of_the_evening_is_proven_by_a_minute_of_the_next_day(people: People) -> None:
    key = linked_key(people)
    late = doubtful(people, key, moment("23:59:00"), MINI)
    minute(people, fetch(people, {DAY: []}), moment("00:01:00", DAY + timedelta(days=1)), MINI, **COUNTS)
    assert [row["call_id"] for row in evidence(people)] == [late]


def test_only_the_owner_runs_it(people: People) -> None:
    assert executors(people.conn, "call_evidence") == set()
