"""app.call_close: an admin closes calls of the organization that are in doubt."""

import pytest
from checks import audit_lines, executors, refuses, strangers_are_refused

CLOSE = "select app.call_close(%s, %s, %s)"


def opened(people, seconds):
    message = people.open_message("ada", max_seconds=seconds, **people.now_id())
    people.open_calls(message)
    return message["id"]


@pytest.fixture
def doubtful(people):
    return opened(people, -1)


def test_an_admin_closes_a_call_in_doubt_and_it_is_written_down_who_and_why(people, doubtful):
    with people.as_("ada"):
        assert people.one("select sum(in_doubt_calls) as n from public.spend_daily")["n"] == 1
        people.one(CLOSE, doubtful, "0.5", "the bill says so")
        row = people.one("select state, cost::text as cost from public.calls where id = %s", doubtful)
        assert (row["state"], row["cost"]) == ("settled", "0.500000000000")
        assert people.one("select sum(in_doubt_calls) as n from public.spend_daily")["n"] == 0
    action, subject, details = audit_lines(people, "ada")[-1]
    assert (action, str(subject), details["reason"]) == ("call.closed", str(doubtful), "the bill says so")


def test_a_call_that_may_still_run_is_left_alone(people):
    refuses(people, "ada", "409 call_running", CLOSE, opened(people, 3600), None, "why")


def unknown(people, seconds, **changes):
    """A settled call without a cost; its deadline is in `seconds`."""
    message = people.open_message("ada", max_seconds=seconds, **people.now_id())
    people.open_calls(message)
    people.settle_calls(people.settle_message("ada", message, usage=None, **changes))
    return message["id"]


def test_an_admin_gives_a_call_of_unknown_cost_its_cost_as_a_fill_in_the_admin_s_name(people):
    call = unknown(people, 3600)
    refuses(people, "ada", "400 cost_missing", CLOSE, call, None, "why")
    refuses(people, "dev", "403 admin_required", CLOSE, call, 1, "why")
    refuses(people, "eve", "404 call_not_found", CLOSE, call, 1, "why")
    with people.as_("ada"):
        people.one(CLOSE, call, "0.5", "the bill says so")
        (fill,) = people.all("select cost::text as cost, reason, filled_by from app.call_fills(%s)", call)
    assert (fill["cost"], fill["reason"]) == ("0.500000000000", "the bill says so")
    assert fill["filled_by"] == people.ids["ada"]
    refuses(people, "ada", "409 call_settled", CLOSE, call, "0.5", "again")


def test_a_call_whose_object_may_still_be_worked_on_is_left_alone(people):
    pending = {"outcome": "pending", "account": "install", "upstream_object_id": "resp_1"}
    running, lost = (unknown(people, seconds, **pending) for seconds in (3600, -1))
    refuses(people, "ada", "409 call_running", CLOSE, running, 1, "why")
    with people.as_("ada"):
        people.one(CLOSE, lost, 1, "why")


def test_nobody_else_may_and_eve_does_not_even_see_it(people, doubtful):
    refuses(people, "dev", "403 admin_required", CLOSE, doubtful, None, "why")
    refuses(people, "eve", "404 call_not_found", CLOSE, doubtful, None, "why")
    strangers_are_refused(people, CLOSE, doubtful, None, "why")
    assert executors(people.conn, "call_close") == {"authenticated"}
