"""app.audit_page: the audit log page by page."""

from __future__ import annotations

from typing import Any

import pytest
from checks import executors
from people import People

PAGE = "select * from app.audit_page(%s, %s, %s)"
LINE = (
    "insert into public.audit_log (org_id, at, action, details) select %s, '2026-01-01Z'::timestamptz"
    " + make_interval(secs => n / 3), 'key.created', jsonb_build_object('n', n) from generate_series(1, 20) n"
)


@pytest.fixture
def busy(people: People) -> People:
    """Lines of the same moment, three by three, beside those of the founding."""
    for who in ("ada", "eve"):
        people.conn.execute(LINE, [people.orgs[who]])
    return people


def pages(people: People, limit: int) -> list[dict[str, Any]]:
    """All lines, read a page at a time."""
    found, cursor = [], (None, None)
    while page := people.all(PAGE, *cursor, limit):
        assert len(page) <= limit
        found += page
        cursor = (page[-1]["at"], page[-1]["id"])
    return found


@pytest.mark.parametrize("limit", [1, 4, 1000])
def test_the_pages_have_every_line_once_the_newest_first(busy: People, limit: int) -> None:
    lines = busy.all("select id from public.audit_log where org_id = %s order by at desc, id desc", busy.orgs["ada"])
    with busy.as_("ada"):
        found = pages(busy, limit)
    assert len(lines) > 20
    assert [row["id"] for row in found] == [row["id"] for row in lines]
    assert set(found[0]) == {"id", "at", "actor_id", "actor_email", "action", "subject_id", "details"}


def test_a_developer_sees_nothing_and_eve_her_own_alone(busy: People) -> None:
    with busy.as_("dev"):
        assert pages(busy, 10) == []
    theirs = busy.all("select id from public.audit_log where org_id = %s", busy.orgs["eve"])
    with busy.as_("eve"):
        assert {row["id"] for row in pages(busy, 10)} == {row["id"] for row in theirs}


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "audit_page") == {"authenticated"}
    with people.as_("nobody"):
        people.refused("42501", PAGE, None, None, 1)
