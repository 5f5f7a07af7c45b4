"""app.line_parts: why one line differs, in parts that add up."""

from __future__ import annotations

from decimal import Decimal as D
from decimal import localcontext
from typing import Any

import pytest
from checks import examples, executors
from hypothesis import given
from hypothesis import strategies as st
from people import People

ASK = "select * from app.line_parts(%(listed)s, %(q)s, %(a)s, %(own_q)s, %(cost)s, %(doubt)s, %(silent)s, %(unpriced)s, %(late)s, %(why)s, %(known)s)"  # noqa: E501
SAME = {"listed": True, "q": D(10), "a": D(20), "own_q": D(10), "cost": D(20), "doubt": D(0), "silent": D(0),
        "unpriced": D(0), "late": D(0), "why": "price_differs", "known": True}  # fmt: skip


def parts(people: People, **changes: Any) -> list[tuple[str, D, D | None]]:
    return [tuple(row.values()) for row in people.conn.execute(ASK, SAME | changes).fetchall()]


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, []),
    ({"a": D(30)}, [("price_differs", 10, 10)]), ({"a": D(0), "why": "free_tokens"}, [("free_tokens", -20, 10)]),
    ({"a": D("20.0000005")}, [("rounding", D("0.0000005"), 10)]),
    ({"q": D(12), "a": D(24), "doubt": D(2)}, [("in_doubt", 4, 2)]),
    ({"q": D(12), "a": D(24), "silent": D(2)}, [("no_usage", 4, 2)]),
    ({"q": D(12), "a": D(24), "unpriced": D(2)}, [("unpriced", 4, 2)]),
    ({"q": D(12), "a": D(24), "late": D(3)}, [("day_boundary", 6, 3), ("quantity_unexplained", -2, -1)]),
    ({"q": D(12), "a": D(24), "late": D(-3)}, [("quantity_unexplained", 4, 2)]),
    ({"q": D(7), "a": D(14)}, [("quantity_unexplained", -6, -3)]),
    ({"own_q": D(0), "cost": D(0)}, [("missing_in_ledger", 20, 10)]),
    ({"own_q": D(0), "cost": D(0), "known": False}, [("unknown_line", 20, 10)]),
    ({"listed": False, "q": None, "a": D(0)}, [("missing_at_openai", -20, -10)]),
    ({"listed": False, "q": None, "a": D(0), "late": D(-10)}, [("day_boundary", -20, -10)]),
    ({"listed": False, "q": None, "a": D(0), "late": D(-4)},
     [("day_boundary", -8, -4), ("missing_at_openai", -12, -6)]),
    ({"listed": False, "q": None, "a": D(0), "late": D(10)}, [("missing_at_openai", -20, -10)]),
    ({"listed": False, "q": None, "a": D(0), "own_q": D(0), "cost": D(0), "doubt": D(5)}, []),
    ({"q": None, "a": D(5), "own_q": D(0), "cost": D(0)}, [("no_quantity", 5, None)]),
    ({"listed": False, "q": None, "a": D(0), "own_q": D(0), "cost": D(3), "why": "correction"},
     [("correction", -3, None)]),
    ({"q": D(15), "a": D(15), "doubt": D(2), "silent": D(1), "unpriced": D(1)},
     [("in_doubt", 2, 2), ("no_usage", 1, 1), ("unpriced", 1, 1), ("quantity_unexplained", 1, 1),
      ("price_differs", -10, 10)]),
])  # fmt: skip
def test_each_reason(people: People, changes: dict[str, Any], expected: list[tuple[str, D, D | None]]) -> None:
    assert parts(people, **changes) == expected


ANY = st.decimals(0, 10**9, places=12)
NUMBERS = {"a": ANY | st.just(D(0)), "q": ANY | st.just(D(0)) | st.none(), "own_q": ANY | st.just(D(0)), "cost": ANY,
           "doubt": ANY, "silent": ANY | st.just(D(0)), "unpriced": ANY | st.just(D(0)),
           "late": st.decimals(-(10**9), 10**9, places=3), "listed": st.booleans(), "known": st.booleans()}  # fmt: skip


@given(changes=st.fixed_dictionaries(NUMBERS))
@examples(200)
def test_the_parts_add_up_to_the_difference_exactly(people: People, changes: dict[str, Any]) -> None:
    if not changes["listed"]:
        changes |= {"q": None, "a": D(0)}
    found = parts(people, **changes)
    with localcontext(prec=100):  # Python rounds to 28 digits, Postgres not at all
        assert sum((part[1] for part in found), D(0)) == changes["a"] - changes["cost"]
    assert all(part[1] != 0 for part in found)


def test_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "line_parts") == {"authenticated"}
