"""docs/analysts.md: every statement in it runs, and every view it names is there."""

from __future__ import annotations

import re

import pytest
from ledgers import ledger
from people import People

from webapp.config import ROOT

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
    assert named == set() and len(STATEMENTS) == 7
