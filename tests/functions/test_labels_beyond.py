"""app.labels_beyond: made-up labels cannot grow daily_labels without end, and sums still add up."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
from checks import blocks_read, executors
from ledgers import DAY, add_call, adjust
from people import People
from test_totals_add import ADD, NEXT, add, entry
from totals import differences

# In a slot that no connection writes (see app.totals_add).
FULL = """insert into private.label_counts (org_id, day, kind, name, slot, labels)
    select %s, %s, k.kind, k.name, 200, k.n
    from (values ('end_user', '', 10000), ('tag', 'run', 2000), ('tag', '', 9999)) k (kind, name, n)"""


def labels(people: People, kind: str) -> dict[str, int]:
    query = "select label, sum(calls)::integer as n from public.daily_labels where kind = %s group by 1"
    return {row["label"]: row["n"] for row in people.all(query, kind)}


def test_of_one_tag_name_2000_values_of_a_day_are_kept_apart_and_the_rest_is_other(people: People) -> None:
    add(people, *({"tags": {"run": f"{n:05}", "team": "web"}} for n in range(1990)))
    add(people, *({"tags": {"run": f"{n:05}"}} for n in range(1980, 2020)))
    add(people, {"tags": {"run": "00003"}}, {"tags": {"run": "x", "env": "live"}})
    found = labels(people, "tag")
    assert len(found) == 2000 + 3 and sum(found.values()) == 1990 * 2 + 40 + 3
    assert (found["run=(other)"], found["run=00003"], found["run=01985"]) == (21, 2, 2)
    assert (found["team=web"], found["env=live"]) == (1990, 1)
    add(people, NEXT | {"tags": {"run": "x"}}, {"org_id": str(people.orgs["eve"]), "tags": {"run": "x"}})
    assert labels(people, "tag")["run=x"] == 2, "another day and another organization begin anew"


def test_10000_end_users_and_10000_tags_of_a_day_are_kept_apart_whatever_their_names(people: People) -> None:
    for _ in range(2):
        for first in range(0, 700, 16):  # a batch of a gateway has 256 messages at most
            batch = range(first, min(first + 16, 700))
            add(people, *({"end_user": f"u{16 * n + m}"} for n in batch for m in range(16)))
            add(people, *({"tags": {f"{n}-{m}": "x" for m in range(16)}} for n in batch))
    for kind in ("end_user", "tag"):
        found = labels(people, kind)
        assert (len(found), found["(other)"], sum(found.values())) == (10_001, 2 * 1200, 2 * 11_200), kind
    assert labels(people, "tagged") == {"": 1400}


def test_a_new_label_does_not_read_all_others(people: People) -> None:
    """Also where the plan, which is kept, was made while there were none."""
    people.conn.execute("truncate public.daily_labels")
    for batch in (1, 1500, 1):
        opened = [people.open_message("ada", end_user=uuid4().hex, tags={"run": uuid4().hex}) for _ in range(batch)]
        people.open_calls(*opened)
        before = blocks_read(people, "INDEX daily_labels_pkey")
        people.settle_calls(*(people.settle_message("ada", message) for message in opened))
    assert 0 < blocks_read(people, "INDEX daily_labels_pkey") - before < 32


def test_what_is_counted_as_other_follows_its_calls(people: People) -> None:
    people.conn.execute(FULL, [people.orgs["ada"], DAY.date()])
    add_call(people, "ada", DAY, end_user="u1", tags={"run": "a", "new": "1"})
    call = add_call(people, "ada", DAY, end_user="u2", tags={"run": "b", "newer": "1"})
    assert labels(people, "end_user") == {"(other)": 2}
    assert labels(people, "tag") == {"run=(other)": 2, "new=1": 1, "(other)": 1}
    adjust(people, call, Decimal("0.5"), DAY + timedelta(days=1))
    assert differences(people) == []
    with people.as_("ada"):
        rows = people.all("select day, end_user, calls, cost_corrected - cost as d from public.spend_by_end_user")
    assert {(row["day"], row["end_user"], row["calls"]) for row in rows} >= {(DAY.date(), "(other)", 2)}
    people.conn.execute("update public.daily_labels set calls = calls + 1 where label = 'run=(other)'")
    assert [(row["day"], row["part"]) for row in differences(people)] == [(DAY.date(), "tag")]


def test_a_label_that_is_new_to_two_transactions_lets_neither_wait(own_dsn: str, people: People) -> None:
    entries = json.dumps([entry(people, tags={"team": "web"}, end_user="u1")])
    with psycopg.connect(own_dsn) as first, psycopg.connect(own_dsn) as second:
        second.execute("set lock_timeout = '200ms'")
        for conn in (first, second):
            conn.execute(ADD, [entries])


def counts(people: People) -> list[tuple[Any, ...]]:
    return [
        tuple(row.values()) for row in people.all("select kind, name, labels from private.label_counts order by 1, 2")
    ]


def test_a_label_is_counted_when_it_is_new_and_not_again(people: People) -> None:
    for _ in range(3):
        add(people, {"end_user": "u1", "tags": {"team": "web", "env": "live"}}, {"tags": {"team": "ads"}}, {})
    assert counts(people) == [("end_user", "", 1), ("tag", "", 3), ("tag", "env", 1), ("tag", "team", 2)]


def test_nobody_may_run_it(db) -> None:
    assert executors(db, "labels_beyond") == set()
