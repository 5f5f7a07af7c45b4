"""docs/reconciliation.md lists every reason that the database knows, and whether it counts as explained."""

from __future__ import annotations

import re
from decimal import Decimal

import psycopg

from webapp.config import ROOT

PAGE = (ROOT / "docs/reconciliation.md").read_text()


def test_it_has_the_reasons_of_the_view_in_their_order(db: psycopg.Connection) -> None:
    rows = db.execute("select reason, explained from public.part_reasons order by n").fetchall()
    listed = re.findall(r"^\| `(\w+)` \| (yes|no) \| \S.* \| \S.* \|$", PAGE, re.M)
    assert listed == [(row["reason"], "yes" if row["explained"] else "no") for row in rows]


def test_the_example_adds_up() -> None:
    example = PAGE.split("### The reasons")[0]
    parts = re.findall(r"`\w+` ([+−])\$([\d.]+)", "\n".join(line for line in example.splitlines() if line[0:1] == "|"))
    assert sum(Decimal(dollars) * (1 if sign == "+" else -1) for sign, dollars in parts) == Decimal("0.1138556")
