"""app.settle_closed: the settle message of a call that was closed by hand is booked, once."""

from decimal import Decimal

import pytest
from checks import executors

TRUE_COST = Decimal("0.00045")  # 1000 × $0.15 + 500 × $0.60, per million tokens


@pytest.fixture
def opened(people):
    message = people.open_message("ada", **people.now_id())
    people.open_calls(message)
    return message


def close(people, message, cost):
    people.one("select app.call_end(null, %s, %s, 'by hand')", message["id"], cost)


def settle(people, message, **changes):
    (answer,) = people.settle_calls(people.settle_message("ada", message, **changes))
    return answer["outcome"]


def sums(people):
    with people.as_("ada"):
        return people.one("select sum(cost) as cost, sum(cost_corrected) as corrected, sum(no_usage_calls) as unknown "
                          "from public.spend_daily")  # fmt: skip


def test_a_late_end_of_a_call_closed_with_a_cost_becomes_one_correction(people, opened):
    close(people, opened, Decimal("0.25"))
    assert [settle(people, opened) for _ in range(3)] == ["conflict"] * 3
    (line,) = people.all("select * from public.cost_adjustments")
    assert line["delta"] == TRUE_COST - Decimal("0.25") and str(line["call_id"]) == opened["id"]
    assert line["details"]["new"]["lines"], "how the true cost came about is kept"
    row = people.one("select cost from public.usage_logs where id = %s", opened["id"])
    assert row["cost"] == Decimal("0.25"), "a known cost never changes"
    assert (sums(people)["cost"], sums(people)["corrected"]) == (TRUE_COST, TRUE_COST)


def test_a_late_end_of_a_call_closed_as_unknown_fills_its_cost(people, opened):
    close(people, opened, None)
    assert sums(people)["unknown"] == 1
    assert [settle(people, opened) for _ in range(2)] == ["conflict"] * 2
    row = people.one("select * from public.usage_logs where id = %s", opened["id"])
    assert (row["cost"], row["cost_status"], row["tokens_in"]) == (TRUE_COST, "priced", 1000)
    assert sums(people) == {"cost": TRUE_COST, "corrected": TRUE_COST, "unknown": 0}
    assert len(people.all("select * from public.cost_fills")) == 1


@pytest.mark.parametrize(("outcome", "delta"), [("error", Decimal("-0.25")), ("no_usage", None)])
def test_a_late_end_without_a_price_books_what_it_knows(people, opened, outcome, delta):
    close(people, opened, Decimal("0.25"))
    assert settle(people, opened, outcome=outcome, usage=None) == "conflict"
    assert [row["delta"] for row in people.all("select delta from public.cost_adjustments")] == (
        [delta] if delta else []
    )


def test_a_cost_that_was_right_needs_no_correction(people, opened):
    close(people, opened, TRUE_COST)
    assert settle(people, opened) == "conflict"
    assert people.all("select * from public.cost_adjustments") == []


def test_others_of_the_same_batch_settle_as_ever(people, opened):
    other = people.open_message("eve", **people.now_id())
    people.open_calls(other)
    close(people, opened, Decimal("1"))
    answers = people.settle_calls(people.settle_message("ada", opened), people.settle_message("eve", other))
    assert [answer["outcome"] for answer in answers] == ["conflict", "settled"]


def test_only_the_owner_may_run_it(db):
    assert executors(db, "settle_closed") == set()


def test_a_true_end_that_comes_twice_in_one_batch_is_booked_once(people):
    opened = people.open_message("ada", **people.now_id())
    people.open_calls(opened)
    people.conn.execute("select app.call_end(null, %s, null, 'nobody saw it')", [opened["id"]])
    late = people.settle_message("ada", opened, account="a")
    answers = people.settle_calls(late | {"outcome": "pending", "usage": None}, late)
    assert [row["outcome"] for row in answers] == ["conflict", "conflict"]
    assert people.settle_calls(late)[0]["outcome"] == "conflict"
    assert len(people.all("select * from public.cost_fills")) <= 1
