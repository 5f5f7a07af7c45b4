"""app.account_remove: the operator deletes an account. What it has in common with account_delete is tested there."""

from __future__ import annotations

from checks import executors
from people import People

REMOVE = "select app.account_remove(%s)"


def test_the_audit_log_tells_that_it_was_not_the_person(people: People) -> None:
    people.one(REMOVE, people.ids["dev"])
    assert people.one("select * from local_auth.find_login('dev@acme.test')") is None
    with people.as_("ada"):
        line = people.one("select * from app.audit_page(null, null, 1)")
    assert (line["action"], line["actor_id"], line["details"]) == (
        "member.account_removed", None, {"email": "dev@acme.test"},
    )  # fmt: skip


def test_the_last_admin_stays(people: People) -> None:
    people.refused("PT409", REMOVE, people.ids["ada"])


def test_nobody_may_run_it(people: People) -> None:
    assert executors(people.conn, "account_remove") == set()
