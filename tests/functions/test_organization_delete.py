"""app.organization_delete: an admin has the organization removed after seven days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from checks import executors
from people import People

DELETE = "select app.organization_delete(%s) as at"


def test_the_typed_name_starts_seven_days_in_which_nothing_else_changes(people: People) -> None:
    with people.as_("ada"):
        people.refused("PT400", DELETE, "acme")
        people.refused("PT400", DELETE, "Evil")
        at = people.one(DELETE, " Acme ")["at"]
        assert timedelta(days=6, hours=23) < at - datetime.now(UTC) < timedelta(days=7, minutes=1)
        assert people.one(DELETE, "Acme")["at"] == at, "asking again moves nothing"
        assert people.one("select deletes_at from app.me()")["deletes_at"] == at
        assert people.one("select * from app.key_page(null, null, null, null, '{}', '', '', 0, 1)")["state"] == "active"
        lines = people.all("select action from app.audit_page(null, null, 9)")
    assert [line["action"] for line in lines].count("organization.deletion_asked") == 1
    with people.as_("eve"):
        assert people.one("select deletes_at from app.me()")["deletes_at"] is None


def test_a_developer_cannot(people: People) -> None:
    with people.as_("dev"):
        people.refused("PT403", DELETE, "Acme")


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "organization_delete") == {"authenticated"}
