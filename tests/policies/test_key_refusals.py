"""public.key_refusals: everyone in the organization reads, nobody writes by hand."""

from __future__ import annotations

from checks import own_rows_only
from people import People

ADD = """insert into public.key_refusals (org_id, api_key_id, day, calls)
    select org_id, id, current_date, 5 from public.api_keys"""


def test_people_read_their_own_organizations_alone_and_nobody_writes(people: People) -> None:
    people.conn.execute(ADD)
    own_rows_only(people, "key_refusals")
