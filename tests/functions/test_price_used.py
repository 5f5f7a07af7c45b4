"""app.price_used: the prices and lines that a correction keeps."""

from __future__ import annotations

from checks import executors
from people import People


def test_price_rows_are_named_once_and_lines_kept(people: People) -> None:
    lines = '[{"price_id": 2, "cost": 1}, {"price_id": 1}, {"price_id": 2}]'
    row = people.one("select app.price_used(%s::jsonb) as used, %s::jsonb as lines", lines, lines)
    assert row["used"] == {"price_ids": [1, 2], "lines": row["lines"]}
    assert people.one("select app.price_used(null) as used")["used"] == {"price_ids": [], "lines": []}
    assert executors(people.conn, "price_used") == set()
