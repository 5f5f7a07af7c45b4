"""public.organizations: its members read it, nobody writes."""

from __future__ import annotations

import pytest
from checks import only_people_read
from people import People


@pytest.mark.parametrize(("who", "name"), [("ada", "Acme"), ("dev", "Acme"), ("eve", "Evil")])
def test_everyone_sees_the_own_organization_alone(people: People, who: str, name: str) -> None:
    with people.as_(who):
        assert [row["name"] for row in people.all("select * from public.organizations")] == [name]


def test_somebody_without_organization_or_claims_sees_none(people: People) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    for claims in ({}, {"sub": str(people.ids["lone"])}):
        with people.as_role("authenticated", claims):
            assert people.all("select * from public.organizations") == []


def test_only_people_and_analysts_read_and_nobody_writes(people: People) -> None:
    only_people_read(people, "organizations", analysts=True)
