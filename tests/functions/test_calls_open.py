"""app.calls_open: open calls, still running or in doubt."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from checks import executors
from ledgers import DAY, add_call, add_open_call
from people import People

OPEN = "select * from app.calls_open() order by started_at"


def rows(people: People, who: str) -> list[dict[str, Any]]:
    with people.as_(who):
        return people.all(OPEN)


def test_it_finds_every_open_call_of_the_own_organization_with_what_was_asked(people: People) -> None:
    add_call(people, "ada")
    labelled = {"end_user": "u1", "tags": {"team": "web"}, "model_requested": "gpt-5"}
    for name, months in (("ada", 0), ("ada", 3), ("eve", 0)):
        add_open_call(people, name, DAY + timedelta(days=31 * months), upstream="openai", **labelled)
    for who in ("ada", "dev"):
        first, second = rows(people, who)
        assert second["started_at"] == DAY + timedelta(days=93)
        assert first == {
            "org_id": people.orgs["ada"], "started_at": DAY, "deadline_at": DAY + timedelta(hours=1),
            "upstream": "openai", "project_id": people.projects["ada"], "api_key_id": people.keys["ada"].id,
            "model": "gpt-5", "endpoint": "/v1/chat/completions", "end_user": "u1", "tags": {"team": "web"},
        }  # fmt: skip
    assert {row["org_id"] for row in rows(people, "eve")} == {people.orgs["eve"]}


def test_a_call_is_open_until_it_is_settled(people: People) -> None:
    opened = people.open_message("ada")
    people.open_calls(opened)
    assert len(rows(people, "ada")) == 1
    people.settle_calls(people.settle_message("ada", opened))
    assert rows(people, "ada") == []


def test_one_session_that_many_people_use_shows_each_the_own_calls(people: People) -> None:
    for name in ("ada", "eve"):
        add_open_call(people, name)
    for _ in range(4):  # the kept plan must not remember who asked first
        for who, count in (("ada", 1), ("eve", 1), ("dev", 1)):
            org = people.orgs[who]
            assert [row["org_id"] for row in rows(people, who)] == [org] * count
        # May run it, as part of views; without an analyst's own login it finds nothing.
        with people.as_role("spendai_analyst"):
            assert people.all("select * from public.daily_entries") == []
    people.sign_up("lone", "lone@nowhere.test")
    assert rows(people, "lone") == []


def test_only_people_and_analysts_may_run_it(people: People) -> None:
    assert executors(people.conn, "calls_open") == {"authenticated", "spendai_analyst"}
    with people.as_("nobody"):
        people.refused("42501", OPEN)
