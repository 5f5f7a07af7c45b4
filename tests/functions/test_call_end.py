"""app.call_end: an open call is closed by hand, once, with a reason."""

from decimal import Decimal
from uuid import uuid4

import pytest
from checks import executors

END = "select app.call_end(%s, %s, %s, %s)"


@pytest.fixture
def opened(people):
    message = people.open_message("ada", **people.now_id())
    assert people.open_calls(message)[0]["outcome"] == "opened"
    return message


def row(people, message):
    return people.one("select * from public.usage_logs where id = %s", message["id"])


@pytest.mark.parametrize(
    ("cost", "status", "counted"), [(Decimal("0.25"), "priced", 0), (Decimal("0"), "priced", 0), (None, "no_usage", 1)]
)
def test_an_open_call_is_closed_with_its_cost_or_as_unknown(people, opened, cost, status, counted):
    people.one(END, None, opened["id"], cost, "  seen on the bill ")
    found = row(people, opened)
    assert (found["state"], found["cost"], found["cost_status"]) == ("settled", cost, status)
    with people.as_("ada"):
        sums = people.one("select sum(cost) as cost, sum(no_usage_calls) as unknown from public.spend_daily")
        assert (sums["cost"], sums["unknown"]) == (cost or 0, counted)
        line = people.one("select * from public.audit_log where action = 'call.closed'")
    assert str(line["subject_id"]) == opened["id"]
    assert line["details"] == {"cost": None if cost is None else str(cost), "reason": "seen on the bill"}


def test_it_is_closed_once_and_a_settled_call_never(people, opened):
    people.one(END, None, opened["id"], None, "gone")
    assert people.refused("PT409", END, None, opened["id"], 1, "again").diag.message_detail == "call_settled"
    settled = people.open_message("ada", **people.now_id())
    people.open_calls(settled)
    people.settle_calls(people.settle_message("ada", settled))
    assert people.refused("PT409", END, None, settled["id"], 1, "no").diag.message_detail == "call_settled"


@pytest.mark.parametrize(
    ("cost", "reason", "code"),
    [
        (1, "", "reason_missing"),
        (1, None, "reason_missing"),
        (1, "x" * 1001, "reason_missing"),
        (-1, "why", "cost_invalid"),
        (Decimal("NaN"), "why", "cost_invalid"),
        (Decimal("Infinity"), "why", "cost_invalid"),
        (1_000_000, "why", "cost_invalid"),
    ],
)
def test_without_a_reason_or_with_an_impossible_cost_nothing_happens(people, opened, cost, reason, code):
    assert people.refused("PT400", END, None, opened["id"], cost, reason).diag.message_detail == code
    assert row(people, opened)["state"] == "open"


def test_a_call_of_another_organization_does_not_exist(people, opened):
    for org, call in ((people.orgs["eve"], opened["id"]), (None, uuid4())):
        assert people.refused("PT404", END, org, call, None, "why").diag.message_detail == "call_not_found"


def test_only_the_owner_may_run_it(db):
    assert executors(db, "call_end") == set()
