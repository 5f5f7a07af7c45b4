"""app.price_sync_apply: a part of price_sync, which is tested with it."""

from __future__ import annotations

from checks import executors
from people import People


def test_a_run_that_found_nothing_is_written_down_too(people: People) -> None:
    people.one("""select app.price_sync_apply('[{"name": "test", "aliases": []}]', '[]')""")
    row = people.one("select * from private.price_sync_runs where kind = 'sync'")
    assert (row["source"], row["counts"], row["difference"]) == ("test", {"agreed": 0, "compared": 0}, [])
    assert executors(people.conn, "price_sync_apply") == set()
