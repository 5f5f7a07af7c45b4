"""app.organization_hand_over: another member becomes admin, the caller a developer."""

from __future__ import annotations

from uuid import UUID

from checks import executors
from people import People

HAND_OVER = "select app.organization_hand_over(%s) as email"


def roles(people: People) -> dict[UUID, str]:
    return {row["user_id"]: row["role"] for row in people.all("select user_id, role from public.members")}


def test_the_roles_change_in_one_go_and_the_audit_log_says_so(people: People) -> None:
    with people.as_("ada"):
        assert people.one(HAND_OVER, people.ids["dev"])["email"] == "dev@acme.test"
        people.refused("PT403", HAND_OVER, people.ids["dev"])
    assert roles(people) == {
        people.ids["dev"]: "admin", people.ids["ada"]: "developer", people.ids["eve"]: "admin",
    }  # fmt: skip
    with people.as_("dev"):
        line = people.one("select * from app.audit_page(null, null, 1)")
    assert (line["action"], line["actor_id"], line["subject_id"]) == (
        "organization.handed_over", people.ids["ada"], people.ids["dev"],
    )  # fmt: skip


def test_strangers_oneself_and_developers_change_nothing(people: People) -> None:
    before = roles(people)
    with people.as_("ada"):
        people.refused("PT404", HAND_OVER, people.ids["eve"])
        people.refused("PT409", HAND_OVER, people.ids["ada"])
    with people.as_("dev"):
        people.refused("PT403", HAND_OVER, people.ids["dev"])
    assert roles(people) == before


def test_only_people_may_run_it(people: People) -> None:
    assert executors(people.conn, "organization_hand_over") == {"authenticated"}
