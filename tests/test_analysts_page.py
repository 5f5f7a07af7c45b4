"""docs/analysts.md: every statement in it runs, and every view it names is there."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from ledgers import ledger
from people import People

from webapp.config import ROOT
from webapp.pages.picks import STATUSES

__all__ = ["ledger"]
PAGE = (ROOT / "docs/analysts.md").read_text()
STATEMENTS = re.findall(r"```sql\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_of_the_page_runs_and_names_its_columns_as_shown(ledger: People, statement: str) -> None:
    with ledger.as_("dev"):
        cursor = ledger.conn.execute(statement)
        cursor.fetchall()
    shown = PAGE.split(statement)[1].split("\n")[2]
    if "|" in shown:
        assert [column.name for column in cursor.description] == [word.strip() for word in shown.split("|")]


def test_every_view_is_on_the_page_and_every_question_has_its_statement() -> None:
    named = {path.stem for path in (ROOT / "db/views").glob("*.sql")} - set(re.findall(r"`(\w+)`", PAGE))
    assert named == set() and len(STATEMENTS) == 16


def test_every_cost_status_that_calls_can_be_filtered_by_is_explained() -> None:
    table = PAGE.partition("| `cost_status` | `cost` | Why |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.M)) == set(STATUSES) - {"in_doubt"}


def test_the_lines_of_the_call_on_the_page_are_those_of_such_a_call(ledger: People) -> None:
    (statement,) = [each for each in STATEMENTS if "jsonb_to_recordset(c.cost_lines)" in each]
    call_id, at = re.findall(r"c.id = '(.*?)'", statement)[0], datetime(2026, 11, 3, 10, tzinfo=UTC)
    usage = {
        "input_tokens": 100_000, "output_tokens": 1000, "region": "eu",
        "input_tokens_details": {
            "cached_tokens": 20_000, "cache_write_tokens": 50_000,
            "cache_write_tokens_details": {"ttl_30m_tokens": 0, "ttl_12h_tokens": 50_000},
        },
    }  # fmt: skip
    ledger.conn.execute("select app.ensure_partition(%s)", [at.date()])
    opened = ledger.open_message("ada", id=call_id, started_at=at.isoformat(), model="gpt-6.1-terra")
    tools = {"container_sessions:4g": 1}
    ledger.settle_calls(ledger.settle_message("ada", opened, model="gpt-6.1-terra", usage=usage, tools=tools))
    with ledger.as_("dev"):
        found = [
            ["" if value is None else str(value) for value in row.values()] for row in ledger.all(statement)
        ]  # fmt: skip
    shown = PAGE.split(statement)[1].split("```")[2].strip("\n").split("\n")[2:]
    assert found == [[word.strip() for word in line.split("|")] for line in shown]
