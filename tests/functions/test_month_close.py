"""app.month_close: an admin closes a month, and nothing changes it silently afterwards."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from checks import audit_lines, executors, refuses, strangers_are_refused
from closes import MONTH, NO_QUANTITY, OUTSIDE, close, fetched, month, state
from people import People

CLOSE = "select app.month_close(%s, %s, %s, %s)"


def test_an_admin_closes_a_month_and_it_is_written_down_who_when_and_what(people: People) -> None:
    month(people, OUTSIDE)
    made = close(people, "as on the invoice", D("0.30"))
    row = people.one("select * from public.month_closes where id = %s", made)
    assert (row["openai"], row["ledger"], row["unexplained"], row["invoice"]) == (D("0.3"), D("0.15"), 0, D("0.3"))
    assert row["named"] == {"outside_key": "0.15"}
    assert row["closed_by"] == people.ids["ada"]
    newest = people.one("select id from public.openai_fetches order by n desc limit 1")["id"]
    assert row["fetch_ids"] == [newest]
    assert [line["cost"] for line in row["report"]["project"]] == ["0.15"]
    action, subject, details = audit_lines(people, "ada")[-1]
    assert (action, subject) == ("month.closed", made)
    assert (details["month"], details["openai"], details["sha256"]) == ("2026-10", "0.3", row["sha256"])
    assert (state(people)["state"], state(people)["closed_by"], state(people)["intact"]) == (
        "closed",
        "ada@acme.test",
        True,
    )


def test_an_unexplained_amount_needs_a_note(people: People) -> None:
    month(people, NO_QUANTITY)
    assert "0.005" in refuses(people, "ada", "400 note_missing", CLOSE, MONTH, "  ", None, False).message_primary
    close(people, "file search, asked OpenAI")
    assert state(people)["closed_unexplained"] == D("0.005")


def test_a_restatement_after_the_close_is_a_difference_to_it_and_no_silent_change(people: People) -> None:
    made = month(people)
    closed = people.one("select * from public.month_closes where id = %s", close(people))
    fetched(people, ("key_proxy", "gpt-4o-mini-2024-07-18, input", 1_000_000, "tokens", "0.25"), times=1)
    people.conn.execute(
        "insert into public.cost_adjustments (call_id, call_started_at, org_id, delta, reason)"
        " select id, started_at, org_id, 0.02, 'late' from public.usage_logs where id = %s", [made],
    )  # fmt: skip
    now = state(people)
    assert (now["state"], now["closed_openai"], now["closed_ledger"]) == ("closed", D("0.15"), D("0.15"))
    assert (now["restated_openai"], now["restated_ledger"]) == (D("0.1"), D("0.02"))
    assert people.one("select * from public.month_closes where id = %s", closed["id"]) == closed
    with people.as_("dev"):
        report = people.one("select app.month_report(%s) as r", MONTH)["r"]
    assert report == closed["report"]


def test_what_is_not_ready_is_refused(people: People) -> None:
    refuses(people, "ada", "409 month_open", CLOSE, MONTH, "", None, True)
    month(people, times=1)
    refuses(people, "ada", "409 month_changing", CLOSE, MONTH, "", None, False)
    close(people, confirm=True)
    assert len(audit_lines(people, "ada")[-1][2]["confirmed"]) == 31
    refuses(people, "ada", "409 month_closed", CLOSE, MONTH, "", None, True)
    refuses(people, "ada", "400 month_invalid", CLOSE, "2026-10-02", "", None, True)
    refuses(people, "ada", "400 month_invalid", CLOSE, None, "", None, True)


@pytest.mark.parametrize("invoice", ["-1", "NaN", "1000000000000"])
def test_an_invoice_that_cannot_be_is_refused(people: People, invoice: str) -> None:
    month(people)
    refuses(people, "ada", "400 invoice_invalid", CLOSE, MONTH, "", invoice, False)


def test_only_admins_close_and_only_their_own_month(people: People) -> None:
    month(people)
    refuses(people, "dev", "403 admin_required", CLOSE, MONTH, "", None, False)
    refuses(people, "eve", "409 month_open", CLOSE, MONTH, "", None, True)
    strangers_are_refused(people, CLOSE, MONTH, "", None, False)
    assert executors(people.conn, "month_close") == {"authenticated"}
