"""public.cost_adjustments: everyone in the organization reads, nobody writes by hand."""

from __future__ import annotations

import pytest
from checks import append_only, only_people_read
from people import People


@pytest.fixture
def filled(people: People) -> People:
    """One row of Acme's."""
    people.conn.execute(
        "insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason)"
        " values (%s, gen_random_uuid(), now(), -1, 'refund')",
        [people.orgs["ada"]],
    )
    return people


@pytest.mark.parametrize(("who", "count"), [("ada", 1), ("dev", 1), ("eve", 0)])
def test_everyone_sees_the_own_organizations_alone(filled: People, who: str, count: int) -> None:
    with filled.as_(who):
        assert len(filled.all("select * from public.cost_adjustments")) == count


def test_only_people_and_analysts_read_and_nobody_writes(filled: People) -> None:
    only_people_read(filled, "cost_adjustments", analysts=True)


def test_a_row_stays_as_it_is_for_every_role(filled: People) -> None:
    append_only(
        filled,
        "public.cost_adjustments",
        "update public.cost_adjustments set delta = 0",
        "update public.cost_adjustments set at = at",
    )
