"""app.account_delete: a person deletes their account."""

from __future__ import annotations

from checks import executors
from people import People

DELETE = "select app.account_delete(%s)"


def test_membership_and_sessions_go_while_keys_and_the_audit_log_stay(people: People) -> None:
    people.one("select app.web_session_start(%s, %s, '{}', null, 600, null, null)", b"w" * 32, people.ids["dev"])
    with people.as_role("spendai_auth"):
        people.one(DELETE, people.ids["dev"])
        assert people.one("select * from app.web_session_load(%s)", b"w" * 32) is None
        assert people.one("select * from local_auth.find_login('dev@acme.test')") is None
    with people.as_("ada"):
        assert [row["email"] for row in people.all("select * from app.member_overview()")] == ["ada@acme.test"]
        line = people.one("select * from app.audit_page(null, null, 1)")
    assert (line["action"], line["actor_id"], line["details"]) == (
        "member.account_deleted", people.ids["dev"], {"email": "dev@acme.test"},
    )  # fmt: skip


def test_the_last_admin_stays_until_there_is_another(people: People) -> None:
    with people.as_role("spendai_auth"):
        people.refused("PT409", DELETE, people.ids["ada"])
    with people.as_("ada"):
        people.one("select app.member_set_role(%s, 'admin')", people.ids["dev"])
    with people.as_role("spendai_auth"):
        people.one(DELETE, people.ids["ada"])
    with people.as_("dev"):
        key = people.one("select * from app.key_page(null, null, null, null, '{}', '', '', 0, 1)")
    assert (key["state"], key["created_by"]) == ("active", None)


def test_somebody_without_an_organization_can_go(people: People) -> None:
    people.sign_up("nia", "nia@new.test")
    with people.as_role("spendai_auth"):
        people.one(DELETE, people.ids["nia"])
        assert people.one("select * from local_auth.find_login('nia@new.test')") is None


def test_only_sign_in_may_run_it(people: People) -> None:
    assert executors(people.conn, "account_delete") == {"spendai_auth"}
