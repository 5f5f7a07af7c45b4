"""app.call_end: an open call is closed by hand, once, with a reason."""

from decimal import Decimal
from uuid import uuid4

import pytest
from checks import executors
from pricing import add_price

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
    ("settled", "status"),
    [
        ({"usage": None}, "no_usage"),
        ({"model": "unheard-of", "model_requested": "unheard-of"}, "unpriced_model"),
        ({"tools": {"unheard_of_calls": 1}}, "unpriced_dimension"),
    ],
)
def test_a_settled_call_of_unknown_cost_gets_its_cost_once_as_a_fill(people, opened, settled, status):
    message = people.settle_message("ada", opened, **settled)
    people.settle_calls(message)
    assert row(people, opened)["cost_status"] == status
    assert people.refused("PT400", END, None, opened["id"], None, "why").diag.message_detail == "cost_missing"
    people.one(END, None, opened["id"], Decimal("0.25"), " on the bill ")
    found = row(people, opened)
    assert (found["cost"], found["cost_status"]) == (Decimal("0.25"), "priced")
    (fill,) = people.all("select old_status, new_status, cost, reason from public.cost_fills")
    assert fill == {"old_status": status, "new_status": "priced", "cost": Decimal("0.25"), "reason": "on the bill"}
    with people.as_("ada"):
        sums = people.one("select sum(cost) as cost, sum(no_usage_calls + unpriced_calls) as unknown from spend_daily")
        assert sums == {"cost": Decimal("0.25"), "unknown": 0}
        assert people.one("select details from audit_log where action = 'call.closed'")["details"]["cost"] == "0.25"
    assert people.refused("PT409", END, None, opened["id"], 1, "again").diag.message_detail == "call_settled"
    people.settle_calls(message | {"model": "gpt-4o-mini", "usage": {"prompt_tokens": 5}})
    assert people.all("select * from public.cost_adjustments") == [], "a message that was delivered twice"
    assert len(people.all("select * from public.cost_fills")) == 1


def test_a_price_that_comes_later_corrects_the_cost_given_by_hand(people, opened):
    unknown = {"model": "unheard-of", "model_requested": "unheard-of"}
    people.settle_calls(
        people.settle_message("ada", opened, usage={"prompt_tokens": 10, "completion_tokens": 0}, **unknown)
    )
    people.one(END, None, opened["id"], Decimal("0.25"), "on the bill")
    add_price(people.conn, "unheard-of", "input_text", "3", unit_qty=1)
    for _ in range(2):
        people.all("select * from app.reprice('2020-01-01', '2100-01-01', 'a price came', false)")
    (line,) = people.all("select delta from public.cost_adjustments")
    assert line["delta"] == Decimal("29.75")


def test_the_end_of_an_object_corrects_the_cost_that_its_call_was_closed_with(people):
    opened = people.open_message("ada", endpoint="/v1/responses", **people.now_id())
    people.open_calls(opened)
    of_object = {"account": "install", "upstream_object_id": "resp_1"}
    people.settle_calls(people.settle_message("ada", opened, outcome="pending", usage=None, **of_object))
    people.one(END, None, opened["id"], Decimal("0.25"), "on the bill")
    seen = people.open_message("ada", method="GET", endpoint="/v1/responses/{response_id}", **people.now_id())
    people.open_calls(seen)
    people.settle_calls(people.settle_message("ada", seen, method="GET", endpoint=seen["endpoint"], **of_object))
    (line,) = people.all("select delta from public.cost_adjustments")
    assert line["delta"] == Decimal("0.00045") - Decimal("0.25")


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
