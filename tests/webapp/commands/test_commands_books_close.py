"""``flask books close`` and ``reopen``, and ``flask export focus``."""

from __future__ import annotations

import csv
import io
from decimal import Decimal as D

import pytest
from closes import OUTSIDE, month
from commands import Operator, operator  # noqa: F401  # a fixture
from people import People
from pyarrow import parquet


@pytest.fixture
def acme(operator: Operator) -> People:  # noqa: F811
    people = operator.people()
    month(people, OUTSIDE)
    return people


def test_a_month_is_closed_reopened_and_exported(operator: Operator, acme: People) -> None:  # noqa: F811
    closed = operator.run("books", "close", "2026-10", "--invoice", "0.30")
    assert (closed.exit_code, closed.output.splitlines()[0]) == (
        0, "2026-10 of Acme is closed: OpenAI $0.30, ledger $0.15, unexplained $0.00",
    )  # fmt: skip
    (row,) = operator.rows("select sha256, invoice, closed_by from public.month_closes")
    assert (closed.output.split()[-1], row["invoice"], row["closed_by"]) == (row["sha256"], D("0.3"), None)

    lines = list(csv.DictReader(io.StringIO(operator.run("export", "focus", "--month", "2026-10").stdout)))
    assert sum(D(line["BilledCost"]) for line in lines if line["InvoiceId"] == "openai-2026-10") == D("0.3")
    operator.conn.execute("update public.projects set name = '…'")
    narrow = operator.app.test_cli_runner(charset="latin-1").invoke(args=["export", "focus", "--month", "2026-10"])
    assert "…" in narrow.stdout_bytes.decode(), "the file is UTF-8 in every locale"
    file = operator.folder / "october.parquet"
    refused = operator.run("export", "focus", "--month", "2026-10", "--format", "parquet")
    assert (refused.exit_code, "-o" in refused.output) == (2, True)
    assert operator.run("export", "focus", "--month", "2026-10", "--format", "parquet", "-o", str(file)).exit_code == 0
    assert parquet.read_metadata(file).num_rows == len(lines)

    again = operator.run("books", "close", "2026-10", "--org", "Acme")
    assert (again.exit_code, "closed already" in again.output) == (1, True)
    opened = operator.run("books", "reopen", "2026-10", "--org", str(acme.orgs["ada"]), "--note", "credit note")
    assert (opened.exit_code, opened.output) == (0, "2026-10 of Acme is open again\n")


def test_what_is_wrong_is_said_in_one_line(operator: Operator) -> None:  # noqa: F811
    assert "write a month as 2026-10" in operator.run("books", "close", "October").output
    none = operator.run("books", "close", "2026-10")
    assert (none.exit_code, none.output) == (1, "Error: no organization has fetched OpenAI's books\n")
