"""public.members: colleagues see each other."""

from __future__ import annotations

import pytest
from checks import only_people_read
from people import People


@pytest.mark.parametrize(("who", "seen"), [("ada", {"ada", "dev"}), ("dev", {"ada", "dev"}), ("eve", {"eve"})])
def test_colleagues_see_each_other_and_no_others(people: People, who: str, seen: set[str]) -> None:
    with people.as_(who):
        assert {row["user_id"] for row in people.all("select * from public.members")} == {
            people.ids[name] for name in seen
        }


def test_only_people_read_and_nobody_writes(people: People) -> None:
    only_people_read(people, "members")
