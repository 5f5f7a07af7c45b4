"""private.count_price_change: every change of prices and aliases is counted, also one that changes no row."""

from __future__ import annotations

import pytest
from people import People


def counted(people: People) -> int:
    return people.one("select n from private.price_changes")["n"]


@pytest.mark.parametrize("change", [
    "insert into public.model_prices (model, dimension, unit_price, unit_qty, valid_from, source)"
    " values ('new', 'input_text', 1, 1, '2026-01-01', 'test')",
    "insert into public.price_aliases (kind, pattern, model, ord) values ('exact', 'my-own', 'gpt-4o', 0)",
    "update public.price_aliases set model = 'gpt-4o' where pattern = 'no such'",
    "delete from public.price_aliases where kind = 'regex'",
    "truncate public.price_aliases",
])  # fmt: skip
def test_a_change_is_counted(people: People, change: str) -> None:
    before = counted(people)
    people.conn.execute(change)
    assert counted(people) == before + 1
