"""app.month_reopen: an admin reopens a month by a new row."""

from __future__ import annotations

from checks import audit_lines, executors, refuses, strangers_are_refused
from closes import MONTH, close, month, state
from people import People

REOPEN = "select app.month_reopen(%s, %s)"


def test_reopening_is_a_new_row_and_the_month_can_be_closed_again(people: People) -> None:
    month(people)
    first = close(people, "first")
    with people.as_("ada"):
        people.one(REOPEN, MONTH, "OpenAI sent a credit note")
    assert (state(people)["state"], state(people)["closed_openai"]) == ("provisional", None)
    assert audit_lines(people, "ada")[-1][2] == {"month": "2026-10", "note": "OpenAI sent a credit note"}
    second = close(people, "second")
    rows = people.all("select id, status, note from public.month_closes order by n")
    assert [(row["status"], row["note"]) for row in rows] == [
        ("closed", "first"), ("reopened", "OpenAI sent a credit note"), ("closed", "second"),
    ]  # fmt: skip
    assert (rows[0]["id"], rows[2]["id"], state(people)["close_id"]) == (first, second, second)


def test_it_needs_a_note_and_a_closed_month(people: People) -> None:
    refuses(people, "ada", "409 month_not_closed", REOPEN, MONTH, "why")
    month(people)
    close(people)
    for note in ("", " \n", None, "x" * 2001):
        refuses(people, "ada", "400 note_missing", REOPEN, MONTH, note)


def test_only_admins_and_only_their_own(people: People) -> None:
    month(people)
    close(people)
    refuses(people, "dev", "403 admin_required", REOPEN, MONTH, "why")
    refuses(people, "eve", "409 month_not_closed", REOPEN, MONTH, "why")
    strangers_are_refused(people, REOPEN, MONTH, "why")
    assert executors(people.conn, "month_reopen") == {"authenticated"}
