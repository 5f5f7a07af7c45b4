"""app.retention_sessions: each WebSocket session goes with one month, the last that has something of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from checks import executors
from ledgers import add_call
from months import ago, ensure, take_out
from people import People

BEGUN = """
insert into public.websocket_sessions (id, org_id, project_id, api_key_id, upstream, endpoint, started_at, deadline_at)
select gen_random_uuid(), u.org_id, u.project_id, u.api_key_id, u.upstream, '/v1/realtime', %s,
    %s::timestamptz + interval '65 min'
from public.usage_logs u where u.id = %s returning id"""


def session(people: People, began: datetime, *calls: datetime) -> UUID:
    """A session with a call at each of these moments."""
    made = [add_call(people, "ada", at, cost=1) for at in calls] or [add_call(people, "ada", began, cost=1)]
    found = people.one(BEGUN, began, began, made[0])["id"]
    people.conn.execute("alter table public.usage_logs disable trigger user")
    if calls:
        people.conn.execute("update public.usage_logs set session_id = %s where id = any(%s)", [found, made])
    people.conn.execute("alter table public.usage_logs enable trigger user")
    return found


def going(people: People, month: int) -> set[UUID]:
    return {row["id"] for row in people.all("select id from app.retention_sessions(%s)", ago(month).date())}


def drop(people: People, month: int) -> None:
    take_out(people, month)
    people.conn.execute("select app.retention_drop(%s, 'retention', null)", [ago(month).date()])


@pytest.fixture
def old(people: People) -> People:
    ensure(people, 2, 3, 4)
    return people


def test_a_session_goes_with_the_month_of_its_last_call(old: People) -> None:
    short = session(old, ago(3), ago(3))
    across = session(old, ago(3), ago(3), ago(2))
    assert (going(old, 4), going(old, 3), going(old, 2)) == (set(), {short}, set())
    drop(old, 3)
    assert going(old, 2) == {across}


def test_a_session_of_a_month_that_stays_stays_with_it_also_without_calls(old: People) -> None:
    """As while a call of the month is in doubt: retention then drops the months after it."""
    silent = session(old, ago(3))
    spoke = session(old, ago(3), ago(2))
    drop(old, 2)
    assert {row["id"] for row in old.all("select id from public.websocket_sessions")} == {silent, spoke}
    assert going(old, 3) == {silent, spoke}


def test_sessions_that_an_earlier_version_left_go_with_the_next_month(old: People) -> None:
    left = session(old, ago(3))
    take_out(old, 3)
    old.conn.execute("insert into private.dropped_months (month, calls, reason) values (%s, 1, 'x')", [ago(3).date()])
    assert going(old, 2) == {left}


def test_a_session_that_goes_on_does_not_go(old: People) -> None:
    found = session(old, ago(3))
    old.conn.execute("update public.websocket_sessions set deadline_at = now() + interval '1 hour'")
    assert going(old, 3) == set()
    old.conn.execute("update public.websocket_sessions set deadline_at = now() - interval '1 hour'")
    assert going(old, 3) == {found}


def test_nobody_but_the_owner_may_run_it(people: People) -> None:
    assert executors(people.conn, "retention_sessions") == set()
