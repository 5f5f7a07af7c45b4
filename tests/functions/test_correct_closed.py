"""app.correct_closed: the true cost of a call that was closed by hand with a cost becomes a correction."""

from decimal import Decimal

import pytest
from checks import executors


@pytest.mark.parametrize(
    ("closed", "true", "delta"),
    [("5", "0.00045", "-4.99955"), ("0", "0.00045", "0.00045"), ("5", "5", None), ("5", None, None), (None, "1", None)],
)
def test_the_difference_is_booked_where_there_is_one(people, closed, true, delta):
    opened = people.open_message("ada", **people.now_id())
    people.open_calls(opened)
    people.one("select app.call_end(null, %s, %s, 'by hand')", opened["id"], closed and Decimal(closed))
    (at,) = people.one("select started_at from usage_logs where id = %s", opened["id"]).values()
    people.one("select app.correct_closed(%s, %s, %s, null, null)", opened["id"], at, true and Decimal(true))
    found = [row["delta"] for row in people.all("select delta from public.cost_adjustments")]
    assert found == ([Decimal(delta)] if delta else [])


def test_a_call_that_nobody_closed_is_left_alone(people):
    call = people.call("ada")
    people.one("select app.correct_closed(%s, %s, 1, null, null)", call["id"], call["started_at"])
    assert people.all("select * from public.cost_adjustments") == []


def test_nobody_may_run_it(people):
    assert executors(people.conn, "correct_closed") == set()
