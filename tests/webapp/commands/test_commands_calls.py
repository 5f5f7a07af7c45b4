"""``flask calls in-doubt|settle``: the operator lists calls in doubt, and settles a call that stayed open."""

from __future__ import annotations

from decimal import Decimal

import pytest
from commands import operator  # noqa: F401  # a fixture


@pytest.fixture
def call(operator):  # noqa: F811
    people = operator.people()
    message = people.open_message("ada", **people.now_id())
    people.open_calls(message)
    return message["id"]


def row(operator, call):  # noqa: F811
    return operator.rows("select state, cost, cost_status from public.usage_logs where id = %s", call)[0]


@pytest.mark.parametrize(
    ("words", "cost", "status"),
    [(("--cost", "0.125"), Decimal("0.125"), "priced"), (("--no-usage",), None, "no_usage")],
)
def test_a_call_is_closed_and_its_reason_is_in_the_audit_log(operator, call, words, cost, status):  # noqa: F811
    done = operator.run("calls", "settle", call, *words, "--reason", "the machine burnt down")
    assert done.exit_code == 0 and f"{call} is settled" in done.output
    assert row(operator, call) == {"state": "settled", "cost": cost, "cost_status": status}
    (line,) = operator.rows("select details from public.audit_log where action = 'call.closed'")
    assert line["details"]["reason"] == "the machine burnt down"


def test_a_settled_call_of_unknown_cost_is_closed_with_its_cost(operator):  # noqa: F811
    people = operator.people()
    message = people.open_message("ada", **people.now_id())
    people.open_calls(message)
    people.settle_calls(people.settle_message("ada", message, usage=None))
    call = message["id"]
    again = operator.run("calls", "settle", call, "--no-usage", "--reason", "gone")
    assert again.exit_code != 0 and "say what the call cost" in again.output.lower()
    assert operator.run("calls", "settle", call, "--cost", "0.5", "--reason", "on the bill").exit_code == 0
    assert row(operator, call) == {"state": "settled", "cost": Decimal("0.5"), "cost_status": "priced"}


@pytest.mark.parametrize(
    "words",
    [
        ("--reason", "why"),
        ("--cost", "1", "--no-usage", "--reason", "why"),
        ("--cost", "1"),
        ("--cost", "a lot", "--reason", "why"),
        ("--cost", "-1", "--reason", "why"),
        ("--cost", "1", "--reason", " "),
    ],
)
def test_half_of_it_is_refused_and_nothing_happens(operator, call, words):  # noqa: F811
    done = operator.run("calls", "settle", call, *words)
    assert done.exit_code != 0 and "Traceback" not in done.output
    assert row(operator, call)["state"] == "open"


def test_a_call_nobody_knows_is_said_so(operator):  # noqa: F811
    done = operator.run("calls", "settle", "0199aaaa-0000-7000-8000-000000000000", "--no-usage", "--reason", "why")
    assert done.exit_code == 1 and "no such call" in done.output


def test_calls_in_doubt_are_listed_with_the_id_that_settle_takes(operator):  # noqa: F811
    people = operator.people()
    people.open_calls(people.open_message("ada", **people.now_id()))
    assert operator.run("calls", "in-doubt").output == "", "it is open and may still end"
    late = people.open_message("ada", max_seconds=-1, **people.now_id())
    people.open_calls(late)
    (line,) = operator.run("calls", "in-doubt").output.splitlines()
    found, _, organization, project, endpoint, model = line.split("\t")
    assert (found, organization, endpoint) == (late["id"], "Acme", "/v1/chat/completions")
    assert project and model
    assert operator.run("calls", "settle", found, "--no-usage", "--reason", "why").exit_code == 0
    assert operator.run("calls", "in-doubt").output == ""
