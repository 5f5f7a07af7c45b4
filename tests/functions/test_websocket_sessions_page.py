"""app.websocket_sessions_page: sessions newest first, a page at a time."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest
from checks import executors
from people import People

PAGE = "select * from app.websocket_sessions_page(%s::jsonb, %s, %s, %s)"
# Three sessions begin at each moment; of each three the first is open, the second lost and the third ended.
SESSIONS = """
insert into public.websocket_sessions (id, org_id, project_id, api_key_id, upstream, endpoint, started_at, deadline_at,
    ended_at, close_code, closed_by)
select gen_random_uuid(), k.org_id, k.project_id, k.id, %s, '/v1/realtime', '2026-01-01Z'::timestamptz
    + make_interval(mins => n / 3), now() + case when n %% 3 = 0 then interval '1 h' else -interval '1 h' end,
    case when n %% 3 = 2 then now() end, case when n %% 3 = 2 then 1000 end, case when n %% 3 = 2 then 'client' end
from public.api_keys k, generate_series(0, %s) n where k.id = %s
"""


@pytest.fixture
def busy(people: People) -> People:
    for who in ("ada", "eve"):
        people.conn.execute(SESSIONS, ["sandbox", 11, people.keys[who].id])
    people.conn.execute(SESSIONS, ["openai", 2, people.keys["ada"].id])  # not in the books of Acme
    return people


def pages(people: People, limit: int, who: str = "dev", **filters: list[str]) -> list[dict[str, Any]]:
    found, before = [], (None, None)
    with people.as_(who):
        while page := people.all(PAGE, json.dumps(filters), *before, limit):
            assert len(page) <= limit
            found += page
            before = (page[-1]["started_at"], page[-1]["id"])
    return found


def sessions(people: People, who: str) -> list[UUID]:
    query = """select id from public.websocket_sessions where org_id = %s and upstream = 'sandbox'
        order by started_at desc, id desc"""
    return [row["id"] for row in people.all(query, people.orgs[who])]


@pytest.mark.parametrize("limit", [1, 4, 1000])
def test_the_pages_have_every_session_of_the_books_once_the_newest_first(busy: People, limit: int) -> None:
    assert len(sessions(busy, "ada")) == 12
    assert [row["id"] for row in pages(busy, limit)] == sessions(busy, "ada")


@pytest.mark.parametrize("state", ["open", "lost", "ended"])
def test_a_filter_holds_on_every_page(busy: People, state: str) -> None:
    key = busy.keys["ada"].id
    found = pages(busy, 1, state=[state], key=[str(key)], project=[str(busy.projects["ada"])])
    assert [row["state"] for row in found] == [state] * 4
    assert pages(busy, 5, state=[state], key=[str(busy.keys["eve"].id)]) == []
    assert pages(busy, 5, project=["no id"]) == []


def test_eve_pages_through_her_own_sessions_alone(busy: People) -> None:
    assert [row["id"] for row in pages(busy, 100, "eve")] == sessions(busy, "eve")


def test_a_page_reads_a_few_of_many_sessions(people: People) -> None:
    for who in ("ada", "eve"):
        people.conn.execute(SESSIONS, ["sandbox", 3000, people.keys[who].id])
    read = """select seq_tup_read + coalesce(idx_tup_fetch, 0) as n from pg_stat_xact_user_tables
        where relname = 'websocket_sessions'"""
    before = people.one(read)["n"]
    with people.as_("ada"):
        first = people.all(PAGE, "{}", None, None, 10)
        people.all(PAGE, "{}", first[-1]["started_at"], first[-1]["id"], 10)
    assert people.one(read)["n"] - before < 250


def test_only_people_may_run_it(db: psycopg.Connection) -> None:
    assert executors(db, "websocket_sessions_page") == {"authenticated"}
