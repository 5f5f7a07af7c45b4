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


def test_nobody_else_may_and_eve_does_not_even_see_it(people, doubtful):
    refuses(people, "dev", "403 admin_required", CLOSE, doubtful, None, "why")
    refuses(people, "eve", "404 call_not_found", CLOSE, doubtful, None, "why")
    strangers_are_refused(people, CLOSE, doubtful, None, "why")
    assert executors(people.conn, "call_close") == {"authenticated"}
