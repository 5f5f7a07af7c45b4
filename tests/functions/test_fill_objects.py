"""app.fill_objects: what outlives its call is billed once, when a call first sees its end, not by looking again."""

from decimal import Decimal

import pytest

USAGE = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}
SEEN = {
    "method": "GET",
    "endpoint": "/v1/responses/{response_id}",
    "account": "install",
    "upstream_object_id": "resp_1",
}


def make(people, endpoint="/v1/responses", **changes):
    """A call that made an object which is not finished."""
    opened = people.open_message("ada", endpoint=endpoint)
    people.open_calls(opened)
    message = people.settle_message(
        "ada", opened, outcome="pending", usage=None, account="install", upstream_object_id="resp_1", **changes
    )
    assert people.settle_calls(message)[0]["outcome"] == "settled"
    return opened["id"]


def look(people, name="ada", **changes):
    """A call that looks at it; returns the row of that call."""
    opened = people.open_message(name, method="GET", endpoint=SEEN["endpoint"])
    people.open_calls(opened)
    people.settle_calls(people.settle_message(name, opened, **(SEEN | {"usage": USAGE} | changes)))
    return row(people, opened["id"])


def row(people, call_id):
    return people.one("select * from usage_logs where id = %s", call_id)


def test_a_background_response_is_pending_and_billed_at_the_first_sighting_of_its_end(people):
    made = make(people)
    assert (row(people, made)["cost"], row(people, made)["cost_status"]) == (None, "pending_object")
    unfinished = look(people, outcome="pending", usage=None)
    assert (unfinished["cost"], unfinished["cost_status"]) == (0, "free")
    assert row(people, made)["cost_status"] == "pending_object"
    seen = look(people)
    assert (seen["cost"], seen["cost_status"]) == (0, "free")
    filled = row(people, made)
    assert (filled["cost"], filled["cost_status"], filled["tokens_in"]) == (Decimal("0.00045"), "priced", 1000)
    look(people)
    assert people.one("select sum(cost) as s from usage_logs")["s"] == Decimal("0.00045"), "polling billed again"
    assert len(people.all("select * from cost_fills")) == 1


def test_a_batch_is_billed_at_the_batch_price(people):
    made = make(people, "/v1/batches", batch=True)
    look(people, endpoint="/v1/batches/{batch_id}")
    assert row(people, made)["cost"] == Decimal("0.000225")


def test_an_object_that_ended_without_usage_is_no_longer_pending_and_its_cost_stays_unknown(people):
    made = make(people)
    look(people, usage=None)
    assert (row(people, made)["cost"], row(people, made)["cost_status"]) == (None, "no_usage")


@pytest.mark.parametrize(
    "change", [{"upstream_object_id": "resp_2"}, {"account": "elsewhere"}, {"upstream_object_id": None}]
)
def test_another_object_fills_nothing(people, change):
    made = make(people)
    assert look(people, **change)["cost_status"] == "free"
    assert row(people, made)["cost_status"] == "pending_object"


def test_eve_cannot_fill_a_call_of_acme(people):
    made = make(people)
    look(people, "eve")
    assert row(people, made)["cost_status"] == "pending_object"


def test_an_object_seen_twice_in_one_batch_is_billed_once(people):
    made = make(people)
    opened = [people.open_message("ada", method="GET", endpoint=SEEN["endpoint"]) for _ in range(2)]
    people.open_calls(*opened)
    people.settle_calls(*(people.settle_message("ada", o, **SEEN, usage=USAGE) for o in opened))
    assert row(people, made)["cost"] == Decimal("0.00045")
    assert len(people.all("select * from cost_fills")) == 1
