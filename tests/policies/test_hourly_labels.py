"""public.hourly_labels: everyone in the organization reads, nobody writes by hand."""

from __future__ import annotations

import pytest
from checks import only_people_read
from ledgers import add_call
from people import People


@pytest.fixture
def filled(people: People) -> People:
    """A call of an end user of Acme's and one of Evil's."""
    for name in ("ada", "eve"):
        add_call(people, name, end_user="u1")
    return people


@pytest.mark.parametrize(("who", "owner"), [("ada", "ada"), ("dev", "ada"), ("eve", "eve")])
def test_everyone_sees_the_own_organizations_alone(filled: People, who: str, owner: str) -> None:
    with filled.as_(who):
        assert [row["org_id"] for row in filled.all("select * from public.hourly_labels")] == [filled.orgs[owner]]


def test_who_has_no_organization_or_no_login_sees_none(filled: People) -> None:
    filled.sign_up("lone", "lone@nowhere.test")
    with filled.as_("lone"):
        assert filled.all("select * from public.hourly_labels") == []
    for role in ("authenticated", "spendai_analyst"):
        with filled.as_role(role):
            assert filled.all("select * from public.hourly_labels") == []


def test_only_people_and_analysts_read_and_nobody_writes(filled: People) -> None:
    only_people_read(filled, "hourly_labels", analysts=True)
