"""app.organization_keep: the deletion of an organization is taken back."""

from __future__ import annotations

from checks import executors
from people import People


def test_any_admin_takes_it_back_and_nobody_else(people: People) -> None:
    with people.as_("ada"):
        people.one("select app.organization_delete('Acme')")
        people.one("select app.member_set_role(%s, 'admin')", people.ids["dev"])
    with people.as_("eve"):
        people.one("select app.organization_keep()")
    with people.as_("dev"):
        assert people.one("select deletes_at from app.me()")["deletes_at"] is not None
        people.one("select app.organization_keep()")
        people.one("select app.organization_keep()")
        assert people.one("select deletes_at from app.me()")["deletes_at"] is None
        lines = [line["action"] for line in people.all("select action from app.audit_page(null, null, 9)")]
        assert lines.count("organization.deletion_undone") == 1
        people.one("select app.member_set_role(%s, 'developer')", people.ids["ada"])
    with people.as_("ada"):
        people.refused("PT403", "select app.organization_keep()")


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "organization_keep") == {"authenticated"}
