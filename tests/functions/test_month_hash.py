"""app.month_hash: what a closed month's SHA-256 covers."""

from checks import executors
from closes import close, month
from people import People

HASH = "select app.month_hash(jsonb_populate_record(c, %s)) as h from public.month_closes c"


def test_every_frozen_column_changes_the_hash_and_a_time_zone_does_not(people: People) -> None:
    month(people)
    close(people, "a note", "0.15")
    kept = people.one("select sha256 from public.month_closes")["sha256"]
    assert people.one(HASH, "{}")["h"] == kept
    people.conn.execute("set local timezone = 'Asia/Kolkata'")
    assert people.one(HASH, '{"openai": 0.150}')["h"] == kept
    changes = ('{"openai": 1}', '{"ledger": 1}', '{"unexplained": 1}', '{"invoice": null}',
               '{"note": ""}', '{"named": {"a": "1"}}',
               '{"report": {}}', '{"fetch_ids": []}', '{"at": "2026-11-05T00:00:00Z"}', '{"closed_by": null}',
               '{"month": "2026-09-01"}')  # fmt: skip
    assert kept not in {people.one(HASH, change)["h"] for change in changes}
    assert len({people.one(HASH, change)["h"] for change in changes}) == len(changes)
    assert executors(people.conn, "month_hash") == set()
