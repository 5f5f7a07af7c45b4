"""app.reprice_batch: a part of reprice, which is tested as a whole."""

from __future__ import annotations

from checks import executors
from people import People


def test_no_calls_are_no_changes_and_only_the_owner_may_run_it(people: People) -> None:
    assert set(people.one("select * from app.reprice_batch('[]', 'a test', false)").values()) == {0}
    assert executors(people.conn, "reprice_batch") == set()
