"""app.settle_containers: a session of a container is billed to one of the calls that ran in it within 20 minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from checks import executors
from people import People

TOKENS = Decimal("0.00045")  # 1000 × $0.15 + 500 × $0.60, per million tokens
SMALL, LARGE = "container_sessions", "container_sessions:4g"


def ran(people: People, minutes: int = 0, who: str = "ada", **changes: Any) -> dict[str, Any]:
    """What settles a call that ran in container c1; minutes: how long after the beginning of the test's session."""
    opened = people.open_message(who, endpoint="/v1/responses", **people.now_id())
    people.open_calls(opened)
    told = {"containers": {"c1": SMALL}, "tools": {SMALL: 1}, "upstream_object_id": opened["id"]} | changes
    message = people.settle_message(who, opened, **told)
    begun = datetime.fromisoformat(opened["started_at"]) - timedelta(minutes=minutes)
    people.conn.execute(
        "update private.seen_responses s set started_at = %s where s.object_id = 'c1' and %s > 0", [begun, minutes]
    )
    return message


def fees(people: People, *messages: dict[str, Any]) -> list[Decimal]:
    """The dollars beyond tokens that calls cost, which are settled together."""
    assert {row["outcome"] for row in people.settle_calls(*messages)} == {"settled"}
    query = "select cost - %s as fee from public.usage_logs where id = %s"
    return [people.one(query, TOKENS, message["id"])["fee"] for message in messages]


def test_calls_of_one_session_pay_for_it_once(people: People) -> None:
    messages = [ran(people) for _ in range(3)]
    assert sum(fees(people, *messages[:2])) == Decimal("0.03")
    assert fees(people, messages[2]) == [0]
    assert people.one("select count(*) as n from public.usage_logs where tools is not null")["n"] == 1


@pytest.mark.parametrize(("minutes", "fee"), [(19, "0"), (20, "0.03"), (300, "0.03")])
def test_a_session_ends_after_20_minutes(people: People, minutes: int, fee: str) -> None:
    fees(people, ran(people))
    assert fees(people, ran(people, minutes)) == [Decimal(fee)]
    assert fees(people, ran(people)) == [0]


def test_other_containers_and_other_tools_of_a_call_stay(people: People) -> None:
    fees(people, ran(people))
    used = {"containers": {"c1": LARGE, "c2": LARGE}, "tools": {LARGE: 2, "file_search_calls": 2}}
    message = ran(people, **used)
    assert fees(people, message) == [Decimal("0.125")]
    row = people.one("select tools from public.usage_logs where id = %s", message["id"])
    assert row["tools"] == {LARGE: 1, "file_search_calls": 2}


def test_organizations_do_not_share_containers(people: People) -> None:
    people.found("bob", "Other")
    assert fees(people, ran(people), ran(people, who="bob")) == [Decimal("0.03")] * 2


def test_a_message_that_comes_again_changes_nothing(people: People) -> None:
    first, second = ran(people), ran(people)
    assert fees(people, first) == [Decimal("0.03")]
    assert people.settle_calls(first)[0]["outcome"] == "already"
    assert fees(people, second) == [0]


def test_responses_in_the_background_have_the_moment_of_the_call_that_made_them(people: People) -> None:
    """They are read hours apart, in another order, and again: still both ran in one session."""
    made = []
    for name in ("resp_1", "resp_2"):
        pending = ran(people, outcome="pending", usage=None, tools=None, account="install", upstream_object_id=name)
        people.settle_calls({key: value for key, value in pending.items() if key != "containers"})
        made.append(pending["id"])
    for hours, name in enumerate(("resp_2", "resp_1", "resp_2"), 1):
        at = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
        opened = people.open_message("ada", method="GET", endpoint="/v1/responses/{response_id}", started_at=at)
        people.settle_calls(people.settle_message("ada", opened, account="install", upstream_object_id=name,
                                                  containers={"c1": SMALL}, tools={SMALL: 1}))  # fmt: skip
    costs = [people.one("select cost from public.usage_logs where id = %s", call)["cost"] for call in made]
    assert sorted(costs) == [TOKENS, TOKENS + Decimal("0.03")]


def test_a_response_in_the_background_that_a_spool_settles_with_its_reading_keeps_its_session(people: People) -> None:
    made = ran(
        people,
        outcome="pending",
        usage=None,
        tools=None,
        containers=None,
        account="install",
        upstream_object_id="resp_1",
    )
    opened = people.open_message("ada", method="GET", endpoint="/v1/responses/{response_id}", **people.now_id())
    people.open_calls(opened)
    read = people.settle_message("ada", opened, account="install", upstream_object_id="resp_1",
                                 containers={"c1": SMALL}, tools={SMALL: 1})  # fmt: skip
    people.settle_calls(made, read)
    assert people.one("select cost from public.usage_logs where id = %s", made["id"])["cost"] == TOKENS + Decimal(
        "0.03"
    )
    assert fees(people, ran(people)) == [0]


def test_only_the_ledger_s_owner_may_call_it(db: psycopg.Connection) -> None:
    assert executors(db, "settle_containers") == set()
