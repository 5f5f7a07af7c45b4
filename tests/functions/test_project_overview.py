"""app.project_overview."""

from __future__ import annotations

from decimal import Decimal

from checks import executors
from people import People
from spending import PRICE, another_key, days_ago, spent

LIST = "select * from app.project_overview()"


def test_projects_come_by_spend_with_keys_and_shares(people: People) -> None:
    project, key = another_key(people, "search")
    empty, revoked = another_key(people, "empty")
    spent(people, project_id=str(project), api_key_id=str(key))
    spent(people, at=days_ago(40))
    with people.as_("ada"):
        people.conn.execute("select app.key_revoke(%s)", [revoked])
        found = people.all(LIST)
    assert [(r["name"], r["cost"], r["share"], r["active_keys"]) for r in found] == [
        ("search", Decimal(PRICE), 1, 1), ("chat", 0, 0, 1), ("empty", 0, 0, 0),
    ]  # fmt: skip
    assert found[2]["id"] == empty


def test_archived_projects_come_last_and_have_no_active_key(people: People) -> None:
    spent(people)
    another_key(people, "search")
    with people.as_("ada"):
        people.conn.execute("select app.project_update(%s, null, true, null)", [people.projects["ada"]])
        found = people.all(LIST)
    assert [row["name"] for row in found] == ["search", "chat"]
    assert found[1]["archived_at"] and found[1]["active_keys"] == 0 and found[1]["cost"] == Decimal(PRICE)


def test_eve_and_nobody_see_no_project_of_acme(people: People) -> None:
    with people.as_("eve"):
        assert [row["id"] for row in people.all(LIST)] == [people.projects["eve"]]
    with people.as_("nobody"):
        people.refused("42501", LIST)
    assert executors(people.conn, "project_overview") == {"authenticated"}
