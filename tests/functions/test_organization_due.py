"""app.organization_due: whether an organization is to be removed now."""

from __future__ import annotations

from checks import executors
from people import People

DUE = "select app.organization_due(%s) as due"


def test_it_is_due_only_after_its_moment(people: People) -> None:
    org = people.orgs["ada"]
    found = []
    for moment in ("null", "now() + interval '1 second'", "now()"):
        people.conn.execute(f"update public.organizations set deletes_at = {moment} where id = %s", [org])
        found.append(people.one(DUE, org)["due"])
    assert found == [False, False, True]
    assert people.one(DUE, people.orgs["eve"])["due"] is False
    assert people.one(DUE, None)["due"] is False


def test_nobody_may_run_it_but_the_owner(people: People) -> None:
    assert executors(people.conn, "organization_due") == set()
