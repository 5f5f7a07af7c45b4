"""app.email_change: another e-mail address to log in with."""

from __future__ import annotations

from typing import Any

import pytest
from checks import executors
from people import People

CHANGE = "select app.email_change(%s, %s) as email"


def change(people: People, name: str, email: str) -> Any:
    with people.as_role("spendai_auth"):
        return people.one(CHANGE, people.ids[name], email)["email"]


def test_the_address_changes_everywhere_and_the_audit_log_says_so(people: People) -> None:
    assert change(people, "ada", " Ada.New@Acme.test ") == "ada.new@acme.test"
    assert people.one("select user_id from local_auth.find_login('ada.new@acme.test')")["user_id"] == people.ids["ada"]
    assert people.one("select user_id from local_auth.find_login('ada@acme.test')") is None
    with people.as_("ada"):
        assert people.one("select email from app.me()")["email"] == "ada.new@acme.test"
        line = people.one("select * from app.audit_page(null, null, 1)")
    assert (line["action"], line["actor_id"], line["actor_email"], line["details"]) == (
        "member.email_changed", people.ids["ada"], "ada@acme.test",
        {"from": "ada@acme.test", "to": "ada.new@acme.test"},
    )  # fmt: skip


@pytest.mark.parametrize(("email", "state"), [("eve@evil.test", "PT409"), ("nonsense", "PT400"), ("", "PT400")])
def test_a_taken_or_wrong_address_changes_nothing(people: People, email: str, state: str) -> None:
    with people.as_role("spendai_auth"):
        people.refused(state, CHANGE, people.ids["ada"], email)
    assert (
        people.one("select email from public.members where user_id = %s", people.ids["ada"])["email"] == "ada@acme.test"
    )


def test_only_sign_in_may_run_it(people: People) -> None:
    assert executors(people.conn, "email_change") == {"spendai_auth"}
