"""app.books_store_own: what an admin's browser fetched."""

from __future__ import annotations

import json
from datetime import timedelta

from checks import executors, refuses, strangers_are_refused
from openai_books import DAY
from people import People

STORE = "select app.books_store_own(%s::jsonb) as id"
EMPTY = json.dumps({
    "source": "api", "from_day": str(DAY), "until_day": str(DAY + timedelta(days=1)), "fetched_by": None,
    "days": [{"day": str(DAY), "whole": True}], "costs": [], "usage": [], "projects": [], "keys": [],
})  # fmt: skip


def test_it_is_stored_for_the_admins_organization_under_the_admins_name(people: People) -> None:
    with people.as_("ada"):
        fetch = people.one(STORE, EMPTY)["id"]
    row = people.one("select * from public.openai_fetches")
    assert (row["id"], row["org_id"], row["fetched_by"]) == (fetch, people.orgs["ada"], people.ids["ada"])
    with people.as_("eve"):
        assert people.all("select from public.openai_fetches") == []


def test_its_days_are_compared_when_they_are_looked_at(people: People) -> None:
    """Not in the same statement, which has the time limit of pages."""
    with people.as_("ada"):
        people.one(STORE, EMPTY)
    assert people.all("select from public.reconciled_days") == []
    with people.as_("ada"):
        assert people.one("select app.reconcile(%s, %s) as n", DAY, DAY + timedelta(days=1)) == {"n": 1}


def test_the_demo_organization_has_none(people: People) -> None:
    people.conn.execute("update public.organizations set is_demo = true where name = 'Acme'")
    refuses(people, "ada", "409 demo_organization", STORE, EMPTY)


def test_a_developer_and_strangers_may_not(people: People) -> None:
    refuses(people, "dev", "403 admin_required", STORE, EMPTY)
    strangers_are_refused(people, STORE, EMPTY)


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "books_store_own") == {"authenticated"}
