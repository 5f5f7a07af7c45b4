"""public.hourly_labels: everyone in the organization reads, nobody writes by hand."""

from __future__ import annotations

from checks import own_rows_only
from ledgers import add_call
from people import People


def test_people_read_their_own_organizations_alone_and_nobody_writes(people: People) -> None:
    for name in ("ada", "eve"):
        add_call(people, name, end_user="u1")
    own_rows_only(people, "hourly_labels")
