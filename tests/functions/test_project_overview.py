"""app.project_overview."""

from __future__ import annotations

from checks import executors
from people import People
from spending import another_key

LIST = "select * from app.project_overview()"


def test_projects_come_with_their_active_keys(people: People) -> None:
    another_key(people, "search")
    empty, revoked = another_key(people, "Empty")
    with people.as_("ada"):
        people.conn.execute("select app.key_revoke(%s)", [revoked])
        found = people.all(LIST)
    assert [(r["name"], r["active_keys"]) for r in found] == [("chat", 1), ("Empty", 0), ("search", 1)]
    assert found[1]["id"] == empty


def test_archived_projects_come_last_and_have_no_active_key(people: People) -> None:
    another_key(people, "search")
    with people.as_("ada"):
        people.conn.execute("select app.project_update(%s, null, true, null)", [people.projects["ada"]])
        found = people.all(LIST)
    assert [row["name"] for row in found] == ["search", "chat"]
    assert found[1]["archived_at"] and found[1]["active_keys"] == 0


def test_eve_and_nobody_see_no_project_of_acme(people: People) -> None:
    with people.as_("eve"):
        assert [row["id"] for row in people.all(LIST)] == [people.projects["eve"]]
    with people.as_("nobody"):
        people.refused("42501", LIST)
    assert executors(people.conn, "project_overview") == {"authenticated"}
