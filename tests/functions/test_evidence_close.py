"""app.evidence_close: an admin closes a call with the minute of OpenAI's Usage API that proves it."""

from __future__ import annotations

from decimal import Decimal as D

from checks import executors
from openai_books import call, compare, moment, worked_day
from people import People

CLOSE = "select app.evidence_close(%s) as cost"


def test_a_call_in_doubt_gets_the_usage_and_cost_that_openai_counted(people: People) -> None:
    ids = worked_day(people)
    with people.as_("ada"):
        assert people.one(CLOSE, ids["doubt"])["cost"] == D("0.0123")  # 50,000 x $0.15 + 8,000 x $0.6, per million
    row = people.one("select * from public.usage_logs where id = %s", ids["doubt"])
    assert (row["state"], row["cost_status"], row["tokens_in"], row["tokens_out"]) == ("settled", "priced", 50000, 8000)
    assert {line["dimension"] for line in row["cost_lines"]} == {"input_text", "output_text"}
    said = people.one("select details from public.audit_log where subject_id = %s", ids["doubt"])["details"]
    assert (said["minute"], said["reason"]) == (
        "2026-10-14T15:02:00+00:00",
        "OpenAI counted one request of this key and model in the minute 2026-10-14 15:02 UTC",
    )
    assert not {part["reason"] for part in compare(people)} & {"in_doubt", "closed_by_hand"}  # both sides have it now


def test_without_such_a_minute_nothing_is_closed(people: People) -> None:
    ids = worked_day(people)
    other = call(
        people, ids["key"], moment("15:01:30"), "gpt-4o-mini", {"input_tokens": 9, "output_tokens": 9}, seconds=90
    )
    with people.as_("ada"):
        assert people.refused("PT409", CLOSE, ids["doubt"]).diag.message_detail == "no_evidence"
        assert people.refused("PT409", CLOSE, other).diag.message_detail == "no_evidence"


def test_a_call_without_usage_is_filled_and_never_twice(people: People) -> None:
    ids = worked_day(people)
    people.conn.execute("select app.call_end(null, %s, null, 'a test')", [ids["doubt"]])
    people.conn.execute("delete from private.closed_calls")  # as if its answer had named no usage
    with people.as_("ada"):
        assert people.one(CLOSE, ids["doubt"])["cost"] == D("0.0123")
        people.refused("PT409", CLOSE, ids["doubt"])
    assert people.one("select cost from public.cost_fills where call_id = %s", ids["doubt"])["cost"] == D("0.0123")


def test_only_admins_and_only_their_own_calls(people: People) -> None:
    ids = worked_day(people)
    with people.as_("dev"):
        people.refused("PT403", CLOSE, ids["doubt"])
    with people.as_("eve"):
        assert people.refused("PT404", CLOSE, ids["doubt"]).diag.message_detail == "call_not_found"
    assert executors(people.conn, "evidence_close") == {"authenticated"}
