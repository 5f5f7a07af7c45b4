"""private.guard_reconciled_day: the parts of a compared day add up to its difference, whoever writes them."""

from __future__ import annotations

import pytest
from openai_books import row_in_each
from people import People


@pytest.mark.parametrize("statement", [
    "update public.reconciled_days set openai = openai + 0.000000000001",
    "update public.reconciled_parts set amount = amount - 1", "delete from public.reconciled_parts",
    "insert into public.reconciled_parts (org_id, day, n, line, reason, amount)"
    " select org_id, day, 2, '', 'surface', 1 from public.reconciled_days",
])  # fmt: skip
def test_parts_that_do_not_add_up_are_refused_at_the_end(people: People, statement: str) -> None:
    row_in_each(people, "ada", "acme")
    people.conn.execute("set constraints all immediate")
    error = people.refused("23514", statement)
    assert "the difference is 2" in str(error)


def test_a_day_may_change_with_its_parts(people: People) -> None:
    row_in_each(people, "ada", "acme")
    people.conn.execute("update public.reconciled_days set openai = 5")
    people.conn.execute("update public.reconciled_parts set amount = 5")
    people.conn.execute("set constraints all immediate")
