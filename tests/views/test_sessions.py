"""sessions: what a session was, how it ended, and what its calls cost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from ledgers import DAY, add_call
from people import People

VIEW = "select * from public.sessions order by started_at"
INSERT = """
insert into public.websocket_sessions (id, org_id, project_id, api_key_id, upstream, endpoint, started_at, deadline_at,
    ended_at, close_code, closed_by)
select gen_random_uuid(), k.org_id, k.project_id, k.id, 'sandbox', '/v1/realtime', now() + %s, now() + %s,
    now() + %s, %s, %s
from public.api_keys k where k.id = %s returning id
"""


def test_a_session_is_open_ended_or_lost(people: People) -> None:
    key = people.keys["ada"].id
    hour = timedelta(hours=1)
    people.one(INSERT, -3 * hour, -hour, -2 * hour, 1000, "client", key)
    people.one(INSERT, -2 * hour, -hour, None, None, None, key)
    people.one(INSERT, -hour, hour, None, None, None, key)
    with people.as_("dev"):
        rows = people.all(VIEW)
    assert [(row["state"], row["close_code"]) for row in rows] == [("ended", 1000), ("lost", None), ("open", None)]
    assert {row["key"] for row in rows} == {people.one("select name from public.api_keys where id = %s", key)["name"]}


def test_its_calls_are_added_up(people: People) -> None:
    moment = timedelta(0)
    session = people.one(INSERT, moment, moment, None, None, None, people.keys["ada"].id)["id"]
    people.conn.execute("update public.websocket_sessions set started_at = %s", [DAY])
    for cost, status in ((Decimal("0.5"), "priced"), (Decimal("0.25"), "priced"), (None, "no_usage")):
        add_call(people, "ada", cost=cost, cost_status=status, session_id=session)
    add_call(people, "ada", cost=Decimal(9))
    add_call(people, "ada", cost=Decimal(9), session_id=uuid4())
    with people.as_("ada"):
        row = people.one(VIEW)
    assert (row["calls"], row["unpriced_calls"], row["cost"]) == (3, 1, Decimal("0.75"))
