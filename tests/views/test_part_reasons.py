"""part_reasons: the one list of reasons."""

from __future__ import annotations

import re

from people import People

from webapp.config import ROOT


def test_people_read_it_and_each_reason_that_a_part_may_have_is_in_it(people: People) -> None:
    with people.as_("dev"):
        rows = people.all("select * from public.part_reasons order by n")
    reasons = [row["reason"] for row in rows]
    assert len(set(reasons)) == len(reasons) and [row["n"] for row in rows] == list(range(1, len(rows) + 1))
    code = "".join((ROOT / f"db/functions/{name}.sql").read_text() for name in (
        "line_parts", "price_reason", "openai_lines", "reconcile_day"))  # fmt: skip
    words = set(re.findall(r"'([a-z]+_?[a-z_]*)'", re.sub(r"--.*|comment on.*", "", code)))
    assert set(reasons) <= words
    assert all(row["says"].endswith(".") for row in rows)
