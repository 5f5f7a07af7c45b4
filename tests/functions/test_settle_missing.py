"""app.settle_missing: a call whose row was lost gets one, written from its settle message; see test_settle_calls."""

from __future__ import annotations

import json
from uuid import uuid4

from checks import executors
from people import People

MISSING = """
select app.settle_missing(c.calls, array(select id from unnest(c.calls)), c.first, c.last) as added
from (select array_agg(s) as calls, min(s.started_at) as first, max(s.started_at) as last
      from jsonb_populate_recordset(null::app.settlement, %s::jsonb) s) c
"""


def test_only_calls_that_were_sent_and_have_no_row_get_one(people: People) -> None:
    opened = people.open_message("ada")
    people.open_calls(opened)
    lost, never_sent, repeated, stranger = ({**opened, **people.now_id()} for _ in range(4))
    calls = [
        people.settle_message("ada", opened),
        people.settle_message("ada", lost),
        people.settle_message("ada", never_sent) | {"org_id": None},
        people.settle_message("ada", repeated) | {"outcome": "repeated"},
        people.settle_message("ada", stranger) | {"org_id": str(uuid4())},
    ]
    added = people.one(MISSING, json.dumps(calls))["added"]
    assert [str(one) for one in added] == [lost["id"]]
    assert people.one("select state from public.usage_logs where id = %s", lost["id"])["state"] == "open"
    assert people.one(MISSING, json.dumps(calls[:2]))["added"] == []


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "settle_missing") == set()
