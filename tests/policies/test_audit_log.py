"""public.audit_log: admins read, nobody changes a line."""

from __future__ import annotations

import pytest
from checks import append_only, only_people_read
from people import People


@pytest.mark.parametrize("who", ["ada", "eve"])
def test_an_admin_sees_the_lines_of_her_own_organization_alone(people: People, who: str) -> None:
    with people.as_(who):
        assert {row["org_id"] for row in people.all("select * from public.audit_log")} == {people.orgs[who]}


def test_a_developer_sees_none(people: People) -> None:
    with people.as_("dev"):
        assert people.all("select * from public.audit_log") == []


def test_only_people_read_and_nobody_writes(people: People) -> None:
    only_people_read(people, "audit_log")


def test_a_line_stays_as_it_is_for_every_role(people: People) -> None:
    append_only(
        people, "public.audit_log", "update public.audit_log set action = 'x'", "update public.audit_log set at = at"
    )
