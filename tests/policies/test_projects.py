"""public.projects: everyone in the organization reads."""

from __future__ import annotations

import pytest
from checks import only_people_read
from people import People


@pytest.mark.parametrize(("who", "owner"), [("ada", "ada"), ("dev", "ada"), ("eve", "eve")])
def test_everyone_sees_the_own_organizations_projects_alone(people: People, who: str, owner: str) -> None:
    with people.as_(who):
        assert [row["id"] for row in people.all("select * from public.projects")] == [people.projects[owner]]


def test_only_people_and_analysts_read_and_nobody_writes(people: People) -> None:
    only_people_read(people, "projects", analysts=True)
