"""app.price_check: what it refuses is tested where it is used, in test_price_add."""

from __future__ import annotations

from checks import executors
from people import People

CHECK = "select app.price_check('m', 'images', 'standard', 0, '1024x1024+hd', '0', '1', now(), '')"


def test_a_price_that_can_be_used_passes_also_one_of_nothing(people: People) -> None:
    assert people.one(CHECK) is not None


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "price_check") == set()
