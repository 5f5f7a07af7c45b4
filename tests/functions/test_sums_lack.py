"""app.sums_lack: where sums cannot have what the calls of dropped months alone would tell."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from checks import executors
from ledgers import add_call, adjust
from months import ago, ensure, take_out
from people import People

TAG = {"tag": ["team=web"]}
EARLY, LATE = ago(3), ago(1)


def lacks(people: People, *words: str, who: str = "ada", since: Any = EARLY, **filters: list[str]) -> date | None:
    with people.as_(who):
        query = "select app.sums_lack(%s, %s, %s, %s) as day"
        return people.one(query, since, LATE, list(words), json.dumps(filters))["day"]


def test_only_what_totals_do_not_answer_lacks_the_dropped_months(people: People) -> None:
    ensure(people, 2, 3)
    for at in (EARLY + timedelta(days=3), ago(2)):
        add_call(people, "ada", at, tags={"team": "web"}, cost=1)
    assert lacks(people, "model", **TAG) is None  # the calls are there
    take_out(people, 3)
    people.conn.execute("select app.retention_drop(%s, 'retention', null)", [EARLY.date()])
    since = ago(2).date()
    for words, filters in ((["model"], TAG), (["end_user", "tag"], {}), ([], TAG | {"model": ["gpt-4o"]})):
        assert lacks(people, *words, **filters) == since
        with people.as_("ada"):  # as app.sums says
            query = "select coalesce(sum(calls), 0) as n from app.sums(%s, %s, %s, %s, 'UTC', null, null)"
            assert people.one(query, EARLY, ago(2), words, json.dumps(filters))["n"] == 0
    assert lacks(people, "project", **TAG) is None
    assert lacks(people, "model", endpoint=["/v1/chat/completions"]) is None
    assert lacks(people, "model", since=ago(2), **TAG) is None  # the period begins after the dropped month
    assert lacks(people, "model", who="eve", **TAG) is None  # she had no calls then
    assert executors(people.conn, "sums_lack") == {"authenticated"}


def test_a_later_month_lacks_the_corrections_of_dropped_calls(people: People) -> None:
    ensure(people, 2, 3)
    adjust(people, add_call(people, "ada", EARLY, cost=1, tags={"team": "web"}), "0.5", ago(2))
    take_out(people, 3)
    people.conn.execute("select app.retention_drop(%s, 'retention', null)", [EARLY.date()])
    assert lacks(people, "model", since=ago(2), **TAG) == ago(2).date()
    assert lacks(people, "project", since=ago(2), **TAG) is None
    assert lacks(people, "model", since=ago(2) + timedelta(days=1), **TAG) is None
